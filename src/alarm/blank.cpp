#include <fmt/format.h>

#include <algorithm>

#include "alarm/image_statistics.h"
#include "alarm/looks.h"

namespace torsor {

namespace {

// An image is blank with less than this share of the contrast that the target domain's images usually have.
constexpr double kBlankShare = 0.1;
// Two of eight outputs more than there are blank images in the target domain: one may be a fluke, and
// generated tasks are known to lose some kinds of input to black (S1-C4).
constexpr double kMostMoreBlank = 0.2;
// Half a grey level: a domain whose images show no more has nothing to be compared with.
constexpr double kLeastContrast = 0.002;

std::vector<double> contrasts(const UnitImages& images) {
  std::vector<double> out;
  for (const at::Tensor& image : images) out.push_back(contrast(image));
  return out;
}

std::int64_t count_below(const std::vector<double>& values, double limit) {
  return std::count_if(values.begin(), values.end(), [&](double value) { return value < limit; });
}

}  // namespace

std::optional<AlarmFinding> look_for_blank(const Evidence& evidence) {
  if (evidence.outputs.empty() || evidence.targets.empty()) return std::nullopt;
  const std::vector<double> real = contrasts(evidence.targets), made = contrasts(evidence.outputs);
  const double usual = median(real);
  if (usual < kLeastContrast) return std::nullopt;
  const std::int64_t blank = count_below(made, kBlankShare * usual);
  const double more =
      static_cast<double>(blank) / static_cast<double>(made.size()) -
      static_cast<double>(count_below(real, kBlankShare * usual)) / static_cast<double>(real.size());
  if (more <= kMostMoreBlank) return std::nullopt;
  return AlarmFinding{
      fmt::format("{} of {} translations show nothing: their contrast is below {:.3f}, where images of "
                  "the target domain have {:.3f}",
                  blank, made.size(), kBlankShare * usual, usual),
      more, kMostMoreBlank};
}

}  // namespace torsor
