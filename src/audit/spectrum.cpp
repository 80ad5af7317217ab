#include "audit/spectrum.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace torsor {

namespace {

constexpr std::int64_t kSpectrumBatch = 16;  // images: bounds the memory of complex numbers
constexpr std::int64_t kLeastSpectrumSide = 4;
constexpr double kHighFrequency = 0.5;  // of Nyquist
constexpr double kFlatPower = 1e-20;    // what rounding leaves of an image without contrast

at::Tensor mean_power(const at::Tensor& images) {  // [n,C,H,W] -> [n,H,W]
  const std::int64_t h = images.size(2), w = images.size(3);
  const at::Tensor window = at::hann_window(h, /*periodic=*/true, at::kDouble).view({-1, 1}) *
                            at::hann_window(w, /*periodic=*/true, at::kDouble).view({1, -1});
  const at::Tensor weighted_mean =
      (images * window).sum(at::IntArrayRef({2, 3}), /*keepdim=*/true) / window.sum();
  return at::fft_fft2((images - weighted_mean) * window).abs().square().mean(1);
}

}  // namespace

RadialSpectrum radial_spectrum(const at::Tensor& unit) {
  const std::int64_t h = unit.size(2), w = unit.size(3), rings = std::min(h, w) / 2;
  if (std::min(h, w) < kLeastSpectrumSide)
    fail("images of {}x{} pixels have no spectrum; it needs {} a side", w, h, kLeastSpectrumSide);
  const auto of_nyquist = [](std::int64_t n) {
    return 2 * at::fft_fftfreq(n, 1.0, at::TensorOptions(at::kDouble));
  };
  const at::Tensor radius =
      (of_nyquist(h).square().view({-1, 1}) + of_nyquist(w).square().view({1, -1})).sqrt().flatten();
  const at::Tensor nearest = (radius * static_cast<double>(rings)).round().to(at::kLong);  // ring, from 1
  const at::Tensor inside = at::nonzero((nearest > 0) & (nearest <= rings)).flatten();
  const at::Tensor ring = nearest.index_select(0, inside) - 1;
  const at::Tensor counts = at::bincount(ring, {}, rings).to(at::kDouble).clamp_min(1);
  const at::Tensor high = (radius > kHighFrequency).to(at::kDouble);
  std::vector<at::Tensor> power, share;
  for (std::int64_t begin = 0; begin < unit.size(0); begin += kSpectrumBatch) {
    const std::int64_t count = std::min(kSpectrumBatch, unit.size(0) - begin);
    const at::Tensor all = mean_power(unit.narrow(0, begin, count).to(at::kDouble)).flatten(1);  // [n,H*W]
    power.push_back(at::zeros({count, rings}, at::kDouble).index_add_(1, ring, all.index_select(1, inside)) /
                    counts);
    const at::Tensor total = all.sum(1);
    share.push_back(at::where(total > kFlatPower, at::mv(all, high) / total, at::zeros_like(total)));
  }
  const at::Tensor middles = (at::arange(rings, at::kDouble) + 1) / static_cast<double>(rings);
  return {middles, at::cat(power), at::cat(share)};
}

}  // namespace torsor
