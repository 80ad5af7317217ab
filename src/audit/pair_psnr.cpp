#include "audit/pair_psnr.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "metric/psnr.h"

namespace torsor {

namespace {

constexpr double kEightBitPeak = 255, kExactPair = 100;  // dB

}  // namespace

at::Tensor eight_bit_whites(const std::vector<ValueRange>& ranges) {
  at::Tensor out = at::empty({std::ssize(ranges), 1, 1, 1}, at::kFloat);
  for (std::size_t i = 0; i < ranges.size(); ++i)
    out[static_cast<std::int64_t>(i)] =
        ranges[i].black == 0 ? percentile_range_as(ranges[i], PixelType::u8).white : kEightBitPeak;
  return out;
}

at::Tensor eight_bit_samples(const at::Tensor& values, double black, const at::Tensor& whites) {
  const at::Tensor shares = black == 0 ? values : (values - black) / (1 - black);
  return (shares * whites).clamp(0, kEightBitPeak);
}

at::Tensor pair_psnr(const at::Tensor& made, const at::Tensor& truth) {
  at::Tensor out = at::empty({truth.size(0)}, at::kDouble);
  for (std::int64_t i = 0; i < truth.size(0); ++i)
    out[i] = std::min(kExactPair, psnr(made[i], truth[i], kEightBitPeak));
  return out;
}

at::Tensor pair_psnr_inside(const at::Tensor& made, const at::Tensor& truth, const at::Tensor& inside) {
  at::Tensor out = at::empty({truth.size(0)}, at::kDouble);
  for (std::int64_t i = 0; i < truth.size(0); ++i)
    out[i] = std::min(kExactPair, psnr_inside(made[i], truth[i], kEightBitPeak, inside[i]));
  return out;
}

}  // namespace torsor
