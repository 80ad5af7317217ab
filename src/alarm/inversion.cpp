#include <fmt/format.h>

#include "alarm/image_statistics.h"
#include "alarm/looks.h"

namespace torsor {

namespace {

// Unrelated pictures are within 0.3 of 0, a negative is at -1; blur and texture on top of one leave -0.6.
constexpr double kLeastCorrelation = -0.6;
// A negative is asked for where the mirrored histogram of the inputs' domain is at most half as far from the
// target domain's as its own: digits and their negatives (0 against 0.8). Domains of like histograms, as
// photos are, ask for none: neither is clearly nearer.
constexpr double kClearlyNearer = 0.5;
// Partners that are anticorrelated half as much as the translations.
constexpr double kPartnersShare = 0.5;

// The median over the pairs; an image that is flat counts 0.
double median_correlation(const UnitImages& x, const UnitImages& y) {
  std::vector<double> all;
  for (std::size_t i = 0; i < x.size(); ++i)
    all.push_back(correlation(luminance(thumbnail(x[i])), luminance(thumbnail(y[i]))));
  return median(all);
}

bool is_asked_for(const Evidence& evidence, double found) {
  const bool has_partners =
      evidence.pairing == Pairing::aligned && evidence.targets.size() == evidence.inputs.size();
  if (has_partners) return median_correlation(evidence.inputs, evidence.targets) <= kPartnersShare * found;
  const at::Tensor from = mean_histogram(evidence.inputs), to = mean_histogram(evidence.targets);
  return histogram_distance(from.flip(0), to) < kClearlyNearer * histogram_distance(from, to);
}

}  // namespace

std::optional<AlarmFinding> look_for_inversion(const Evidence& evidence) {
  if (evidence.inputs.empty() || evidence.targets.empty()) return std::nullopt;
  const double found = median_correlation(evidence.inputs, evidence.outputs);
  if (found > kLeastCorrelation || is_asked_for(evidence, found)) return std::nullopt;
  return AlarmFinding{
      fmt::format("translations are bright where their inputs are dark: their brightness correlates by "
                  "{:.2f} (below {:g}), and the domains do not ask for it",
                  found, kLeastCorrelation),
      found, kLeastCorrelation};
}

}  // namespace torsor
