#include "metric/ssim.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kSigma = 1.5;

struct Window {
  at::Tensor taps;                   // [k], of sum 1
  double covariance_correction = 1;  // of the biased covariances
  std::int64_t size() const { return taps.numel(); }
};

Window gaussian_window(std::int64_t size) {
  const at::Tensor offsets = at::arange(size, at::kDouble) - static_cast<double>(size - 1) / 2;
  const at::Tensor taps = (offsets.square() / (-2 * kSigma * kSigma)).exp();
  return {taps / taps.sum(), 1};
}

Window uniform_window() { return {at::full({7}, 1.0 / 7, at::kDouble), 49.0 / 48}; }

// Weighted means where the window fits, [C,H,W] -> [C,H-k+1,W-k+1].
at::Tensor filtered(const at::Tensor& images, const Window& window) {
  const at::Tensor rows = at::conv2d(images.unsqueeze(1), window.taps.view({1, 1, -1, 1}));
  return at::conv2d(rows, window.taps.view({1, 1, 1, -1})).squeeze(1);
}

struct Maps {
  at::Tensor ssim;                // [C,h,w]
  at::Tensor contrast_structure;  // [C,h,w], its second factor
};

// Covariances are of values around their mean: E[x^2] - E[x]^2 of large x would lose digits.
Maps maps_of(const at::Tensor& x, const at::Tensor& y, double range, const Window& window) {
  const double c1 = std::pow(0.01 * range, 2), c2 = std::pow(0.03 * range, 2);
  const double correction = window.covariance_correction;
  const at::Tensor mx = filtered(x, window), my = filtered(y, window);
  const at::Tensor dx = x - x.mean(), dy = y - y.mean(), mdx = mx - x.mean(), mdy = my - y.mean();
  const at::Tensor vx = correction * (filtered(dx * dx, window) - mdx * mdx),
                   vy = correction * (filtered(dy * dy, window) - mdy * mdy),
                   vxy = correction * (filtered(dx * dy, window) - mdx * mdy);
  const at::Tensor contrast_structure = (2 * vxy + c2) / (vx + vy + c2);
  return {(2 * mx * my + c1) / (mx * mx + my * my + c1) * contrast_structure, contrast_structure};
}

// Means by channel, [C], over positions whose centre counts.
at::Tensor mean_inside(const at::Tensor& map, const at::Tensor& mask, const ImagePair& pair) {
  if (!mask.defined()) return map.mean({1, 2});
  const std::int64_t border = (mask.size(0) - map.size(1)) / 2;
  const at::Tensor centres = mask.narrow(0, border, map.size(1)).narrow(1, border, map.size(2));
  const auto count = centres.sum().item<std::int64_t>();
  if (count == 0)
    fail("{}: SSIM has no window whose centre is inside the mask, which lies within {} pixels of the border",
         pair.name, border);
  return (map * centres).sum({1, 2}) / static_cast<double>(count);
}

at::Tensor halved(const at::Tensor& images) {
  return at::avg_pool2d(images, {2, 2}, {2, 2}, {images.size(-2) % 2, images.size(-1) % 2});
}

at::Tensor halved_mask(const at::Tensor& mask) {
  return mask.defined() ? halved(mask.to(at::kDouble).unsqueeze(0)).squeeze(0) >= 0.5 : mask;
}

void check_side(const ImagePair& pair, const char* metric, std::int64_t least) {
  check_pair(pair);
  const std::int64_t width = pair.real.size(2), height = pair.real.size(1);
  if (std::min(width, height) < least)
    fail("{}: {} needs {} pixels or more a side, and the images are {}x{}", pair.name, metric, least, width,
         height);
}

}  // namespace

double ssim(const ImagePair& pair, SsimWindow kind) {
  const Window window = kind == SsimWindow::uniform ? uniform_window() : gaussian_window(11);
  check_side(pair, "SSIM", window.size());
  const Maps maps = maps_of(pair.real, pair.fake, pair.range, window);
  return mean_inside(maps.ssim, pair.mask, pair).mean().item<double>();
}

double multi_scale_ssim(const ImagePair& pair, std::int64_t taps) {
  constexpr std::array<double, 5> kWeights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
  check_side(pair, "MS-SSIM", 16 * (taps - 1) + 1);
  const Window window = gaussian_window(taps);
  at::Tensor x = pair.real, y = pair.fake, mask = pair.mask;
  at::Tensor product = at::ones({x.size(0)}, at::kDouble);
  for (std::size_t scale = 0; scale < kWeights.size(); ++scale) {
    const bool last = scale + 1 == kWeights.size();
    const Maps maps = maps_of(x, y, pair.range, window);
    const at::Tensor mean = mean_inside(last ? maps.ssim : maps.contrast_structure, mask, pair);
    product = product * mean.clamp_min(0).pow(kWeights[scale]);
    if (last) break;
    x = halved(x), y = halved(y), mask = halved_mask(mask);
  }
  return product.mean().item<double>();
}

}  // namespace torsor
