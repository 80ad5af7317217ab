#include "audit/perturbations.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "image/codec.h"

namespace torsor {

namespace {

constexpr double kBlurReach = 4;  // standard deviations of a Gaussian: beyond lie 6e-5 of it

// The network's form of a picture without a range of its own: 0 ... 1 to -1 ... 1, as to_image() takes it.
Image eight_bit_image(const at::Tensor& unit) { return to_image(2 * unit - 1, ValueRange{}); }

at::Tensor unit_of(const Image& image) { return (to_tensor(image, ValueRange{}).to(at::kDouble) + 1) / 2; }

}  // namespace

PictureScale::PictureScale(const at::Tensor& values, const ValueRange& range) : black_(range.black) {
  const std::int64_t n = values.size(0);
  // Values above 1 are brighter than their image's white, not clipped as those of a common white are.
  span_ = range.black == 0 ? values.to(at::kDouble).flatten(1).amax(1).clamp_min(1).view({n, 1, 1, 1})
                           : at::full({n, 1, 1, 1}, 1 - range.black, at::kDouble);
}

at::Tensor PictureScale::to_unit(const at::Tensor& values) const {
  return ((values.to(at::kDouble) - black_) / span_).clamp(0, 1);
}

at::Tensor PictureScale::from_unit(const at::Tensor& unit) const {
  return (unit * span_ + black_).to(at::kFloat);
}

at::Tensor normal_noise(const at::Tensor& images, Rng& rng) {
  const auto seed = static_cast<std::uint64_t>(rng.index(std::numeric_limits<std::int64_t>::max()));
  return at::randn(images.sizes(), at::make_generator<at::CPUGeneratorImpl>(seed),
                   at::TensorOptions(at::kDouble));
}

at::Tensor rounded_to(const at::Tensor& unit, std::int64_t bits) {
  const auto top = static_cast<double>((std::int64_t{1} << bits) - 1);
  return (unit * top).round() / top;
}

at::Tensor with_noise(const at::Tensor& unit, const at::Tensor& noise, double levels) {
  return (unit + noise * (levels * kGreyStep)).clamp(0, 1);
}

at::Tensor barely_disturbed(const at::Tensor& unit, const at::Tensor& noise) {
  return rounded_to(with_noise(unit, noise, 1), 8);
}

at::Tensor through_jpeg(const at::Tensor& unit, int quality) {
  EncodeOptions options;
  options.jpeg_quality = quality;
  std::vector<at::Tensor> out;
  for (const at::Tensor& image : unit.unbind(0)) {
    const std::string bytes = encode_image("jpg", eight_bit_image(image), options);
    out.push_back(unit_of(decode_image(bytes, "a translation stored as JPEG")));
  }
  return at::stack(out);
}

at::Tensor low_passed(const at::Tensor& unit, double cut_off) {
  // exp(-2 (pi sigma f)^2) = 1/2 at f = cut_off / 2 cycles a pixel.
  const double sigma = std::sqrt(2 * std::numbers::ln2) / (std::numbers::pi * cut_off);
  const auto reach = static_cast<std::int64_t>(std::ceil(kBlurReach * sigma));
  const at::Tensor offsets = at::arange(-reach, reach + 1, at::kDouble);
  at::Tensor taps = (offsets.square() / (-2 * sigma * sigma)).exp();
  taps = taps / taps.sum();
  const std::int64_t n = unit.size(0), channels = unit.size(1), h = unit.size(2), w = unit.size(3);
  const at::Tensor planes =
      at::replication_pad2d(unit.reshape({n * channels, 1, h, w}), {reach, reach, reach, reach});
  const at::Tensor rows = at::conv2d(planes, taps.view({1, 1, -1, 1}));
  return at::conv2d(rows, taps.view({1, 1, 1, -1})).view({n, channels, h, w}).clamp(0, 1);
}

}  // namespace torsor
