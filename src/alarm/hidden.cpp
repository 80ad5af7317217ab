#include <fmt/format.h>

#include <algorithm>

#include "alarm/looks.h"

namespace torsor {

namespace {

// Nobody sees rounding or noise of one grey level, and a reconstruction from what is visible survives both:
// where its error doubles, it was made of something else.
constexpr double kMostRatio = 2;
// Two and a half grey levels: an error that grows by less breaks nothing.
constexpr double kLeastGrowth = 0.01;

}  // namespace

std::optional<AlarmFinding> look_for_hidden(const Evidence& evidence) {
  if (!evidence.round_trip) return std::nullopt;
  const RoundTrip& trip = *evidence.round_trip;
  const double disturbed = std::max(trip.rounded, trip.noisy);
  if (disturbed - trip.plain < kLeastGrowth || disturbed <= kMostRatio * trip.plain) return std::nullopt;
  return AlarmFinding{
      fmt::format("reconstructions break when nothing visible changes: their error is {:.3f}, {:.3f} "
                  "after rounding the translations to 8 bits, and {:.3f} with noise of one grey level",
                  trip.plain, trip.rounded, trip.noisy),
      disturbed / std::max(trip.plain, 1e-9), kMostRatio};
}

}  // namespace torsor
