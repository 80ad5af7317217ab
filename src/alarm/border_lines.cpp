#include "alarm/border_lines.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "alarm/image_statistics.h"

namespace torsor {

namespace {

constexpr std::int64_t kSmallestSide = 16;
constexpr std::int64_t kStripShare = 16;
// Two and a half grey levels: below it a line is nothing that anybody sees, whatever the inside.
constexpr double kFloor = 0.01;

// profile [n]: mean luminance of parallel lines.
double score_of(const at::Tensor& profile) {
  const std::int64_t n = profile.size(0) - 1, strip = std::max<std::int64_t>(2, n / kStripShare);
  const at::Tensor jumps = (profile.slice(0, 1) - profile.slice(0, 0, n)).abs();  // [n]
  const double inside = std::sqrt(jumps.slice(0, strip, n - strip).square().mean().item<double>());
  const double line =
      std::max(jumps.slice(0, 0, strip).max().item<double>(), jumps.slice(0, n - strip).max().item<double>());
  return line / (inside + kFloor);
}

}  // namespace

double border_line_score(const at::Tensor& image) {
  if (std::min(image.size(1), image.size(2)) < kSmallestSide) return 0;
  const at::Tensor light = luminance(image).to(at::kDouble);
  return std::max(score_of(light.mean(1)), score_of(light.mean(0)));
}

}  // namespace torsor
