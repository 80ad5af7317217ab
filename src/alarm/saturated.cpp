#include <fmt/format.h>

#include "alarm/looks.h"

namespace torsor {

namespace {

// With lsgan scores within 0.1 of their labels, with vanilla a certainty of 98.6 %: the generator's slope
// there is a fiftieth of what it is where nothing is told apart, or less.
constexpr double kLeastShare = 0.02;

}  // namespace

std::optional<AlarmFinding> look_for_saturated(const Evidence& evidence) {
  if (!evidence.discriminator || *evidence.discriminator >= kLeastShare) return std::nullopt;
  return AlarmFinding{
      fmt::format("the discriminator is certain of every image: its loss is {:.2g} % of what guessing "
                  "gives (below {:g} % for long)",
                  100 * *evidence.discriminator, 100 * kLeastShare),
      *evidence.discriminator, kLeastShare};
}

}  // namespace torsor
