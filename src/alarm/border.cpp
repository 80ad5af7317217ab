#include <fmt/format.h>

#include <algorithm>

#include "alarm/border_lines.h"
#include "alarm/image_statistics.h"
#include "alarm/looks.h"

namespace torsor {

namespace {

// Pictures have up to about 3 (border_lines.h).
constexpr double kMostScore = 4;
// Where the target domain's own images have lines (frames, letterboxes), so may translations.
constexpr double kMostToReal = 2;

double median_score(const UnitImages& images) {
  std::vector<double> all;
  for (const at::Tensor& image : images) all.push_back(border_line_score(image));
  return median(all);
}

}  // namespace

std::optional<AlarmFinding> look_for_border(const Evidence& evidence) {
  if (evidence.outputs.empty() || evidence.targets.empty()) return std::nullopt;
  const double made = median_score(evidence.outputs), real = median_score(evidence.targets);
  const double most = std::max(kMostScore, kMostToReal * real);
  if (made <= most) return std::nullopt;
  return AlarmFinding{
      fmt::format("translations have straight lines along their borders: {:.1f} times as strong as "
                  "lines inside (above {:.1f}), in images of the target domain {:.1f} times",
                  made, most, real),
      made, most};
}

}  // namespace torsor
