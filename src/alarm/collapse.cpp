#include <fmt/format.h>

#include <algorithm>

#include "alarm/image_statistics.h"
#include "alarm/looks.h"

namespace torsor {

namespace {

// Outputs that differ a fifth as much as both inputs and real images of the target do. Right translations
// into a domain of less variety than the inputs' differ as much as its own images.
constexpr double kLeastSpread = 0.2;
// Inputs or targets that are this near each other, in 5 of 255 grey levels, ask for no variety.
constexpr double kLeastDistance = 0.02;

}  // namespace

std::optional<AlarmFinding> look_for_collapse(const Evidence& evidence) {
  const double inputs = mean_distance(evidence.inputs), targets = mean_distance(evidence.targets);
  const double expected = std::min(inputs, targets);
  // Nothing is alike too, and blank says so.
  if (expected < kLeastDistance || look_for_blank(evidence)) return std::nullopt;
  const double made = mean_distance(evidence.outputs);
  const double spread = made / expected;
  if (spread >= kLeastSpread) return std::nullopt;
  return AlarmFinding{
      fmt::format("translations of unlike inputs are alike: they differ by {:.3f} on average, inputs by "
                  "{:.3f} and images of the target domain by {:.3f}",
                  made, inputs, targets),
      spread, kLeastSpread};
}

}  // namespace torsor
