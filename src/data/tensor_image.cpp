#include "data/tensor_image.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/error.h"
#include "image/convert.h"

namespace torsor {

namespace {

const std::string kByWhite = "white", kPercentile95 = "percentile_95";

// `to_value` makes the network's value of a share of white.
template <class T, class ToValue>
void spread(const Image& image, const T* stored, float white, ToValue to_value, float* out) {
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < image.channels; ++c)
      out[c * pixels + p] = to_value(static_cast<float>(stored[p * image.channels + c]) / white);
}

// 8-bit samples are computed as the reference does, to the bit.
void spread(const Image& image, const std::uint8_t* stored, const ValueRange& range, float* out) {
  const auto white = static_cast<float>(range.white);
  if (range.black == 0)
    return spread(
        image, stored, white, [](float x) { return x; }, out);
  spread(
      image, stored, white, [](float x) { return (x - 0.5F) / 0.5F; }, out);
}

bool is_eight_bit(const ValueRange& range) {
  return range.type == PixelType::u8 && range.black_level == 0 && (range.white == 255 || range.black == 0);
}

// The share of white, 0 to 1; above 1 too where an image has a white of its own.
double share_of(double stored, const ValueRange& range) {
  if (range.black == 0) return stored / range.white;
  return std::clamp((stored - range.black_level) / (range.white - range.black_level), 0.0, 1.0);
}

template <class T>
void spread_shares(const Image& image, const T* stored, const ValueRange& range, float* out) {
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < image.channels; ++c) {
      const double share = share_of(static_cast<double>(stored[p * image.channels + c]), range);
      out[c * pixels + p] = static_cast<float>(range.black + share * (1 - range.black));
    }
}

// What an image stores for a share of white.
template <class T>
T stored_as(double value, Rounding rounding) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(value);
  const double most = std::numeric_limits<T>::max(), clamped = std::min(most, std::max(0.0, value));
  return static_cast<T>(rounding == Rounding::nearest ? std::lround(clamped) : static_cast<long>(clamped));
}

template <class T>
void gather(const float* in, const ValueRange& range, Rounding rounding, Image& image, T* out) {
  const std::int64_t pixels = image.width * image.height;
  const double slope = (range.white - range.black_level) / (1 - range.black);
  for (std::int64_t c = 0; c < image.channels; ++c)
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float x = in[c * pixels + p];
      if (std::isnan(x)) fail("a generated image holds NaN; the model is damaged or diverged");
      const double stored = range.black_level + (static_cast<double>(x) - range.black) * slope;
      out[p * image.channels + c] = stored_as<T>(stored, rounding);
    }
}

// The reference computes (x + 1) / 2 * 255 in this order, in floats, and lets the cast truncate.
void gather_eight_bit(const float* in, const ValueRange& range, Rounding rounding, Image& image) {
  const auto white = static_cast<float>(range.white);
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t c = 0; c < image.channels; ++c)
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float x = in[c * pixels + p];
      if (std::isnan(x)) fail("a generated image holds NaN; the model is damaged or diverged");
      const float share = range.black != 0 ? (x + 1.0F) / 2.0F : x;
      const float stored = std::min(255.0F, std::max(0.0F, share * white));
      image.u8()[p * image.channels + c] = static_cast<std::uint8_t>(
          rounding == Rounding::nearest ? std::lround(stored) : static_cast<long>(stored));
    }
}

// What lies at a broken place between two neighbours of the sorted samples.
double between(double here, double next, double place) {
  return here + (next - here) * (place - std::floor(place));
}

double percentile_95(const std::uint8_t* samples, std::int64_t count) {
  std::array<std::int64_t, 256> counts{};
  for (std::int64_t i = 0; i < count; ++i) ++counts[samples[i]];
  // The sample at a place of the sorted list.
  const auto at = [&](std::int64_t place) {
    std::size_t value = 0;
    for (std::int64_t below = counts[0]; below <= place; below += counts[value]) ++value;
    return static_cast<double>(value);
  };
  const double place = 0.95 * static_cast<double>(count - 1);
  const auto low = static_cast<std::int64_t>(place);
  return between(at(low), at(std::min(low + 1, count - 1)), place);
}

template <class T>
double percentile_95(const T* samples, std::int64_t count) {
  std::vector<T> sorted(samples, samples + count);
  const double place = 0.95 * static_cast<double>(count - 1);
  const auto low = sorted.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(sorted.begin(), low, sorted.end());
  const auto next = low + 1 == sorted.end() ? low : std::min_element(low + 1, sorted.end());
  return between(static_cast<double>(*low), static_cast<double>(*next), place);
}

void require_no_negative(const Image& image, const std::string& name) {
  const float least = *std::min_element(image.f32(), image.f32() + image.samples());
  if (least < 0)
    fail("{}: the float image holds negative samples, down to {:g}; add to it so that black is 0", name,
         least);
}

template <class T>
Image preview(const Image& image, const T* stored, const ValueRange& range) {
  Image out = Image::blank(image.width, image.height, image.channels);
  for (std::int64_t i = 0; i < image.samples(); ++i)
    out.u8()[i] =
        static_cast<std::uint8_t>(std::lround(255 * share_of(static_cast<double>(stored[i]), range)));
  return out;
}

}  // namespace

double full_scale(PixelType type) {
  return type == PixelType::u8 ? 255.0 : type == PixelType::u16 ? 65535.0 : 1.0;
}

ValueRange whole_range(PixelType type) { return {full_scale(type), -1, 0, type}; }

std::vector<std::string> scalings() { return {kByWhite, kPercentile95}; }

bool scales_each_image(const std::string& scaling) { return scaling == kPercentile95; }

double percentile_95(const Image& image) {
  if (image.samples() == 0) fail("there is no percentile of no samples");
  return image.type == PixelType::u8    ? percentile_95(image.u8(), image.samples())
         : image.type == PixelType::u16 ? percentile_95(image.u16(), image.samples())
                                        : percentile_95(image.f32(), image.samples());
}

ValueRange percentile_range(const Image& image, PixelType type, const std::string& name) {
  if (image.type == PixelType::f32) require_no_negative(image, name);
  const double white = percentile_95(image);
  if (white == 0)
    fail(
        "{}: its 95th percentile is 0, as 19 of 20 samples are black: it cannot be scaled by it; leave such "
        "images out (a model trained with --scaling white accepts them)",
        name);
  return {white, 0, 0, type};
}

ValueRange percentile_range_as(const ValueRange& range, PixelType type) {
  if (range.type == type) return range;
  const double full = full_scale(range.type), twice = 2 * range.white;
  const double white = range.type == PixelType::u8                          ? full
                       : range.type == PixelType::f32 && range.white > full ? twice
                                                                            : std::min(full, twice);
  return {range.white * (full_scale(type) / white), 0, 0, type};
}

at::Tensor to_tensor(const Image& image, const ValueRange& range) {
  at::Tensor out = at::empty({image.channels, image.height, image.width}, at::kFloat);
  float* values = out.data_ptr<float>();
  switch (image.type) {
    case PixelType::u8:
      if (is_eight_bit(range))
        spread(image, image.u8(), range, values);
      else
        spread_shares(image, image.u8(), range, values);
      break;
    case PixelType::u16:
      spread_shares(image, image.u16(), range, values);
      break;
    case PixelType::f32:
      spread_shares(image, image.f32(), range, values);
      break;
  }
  return out;
}

Image to_image(const at::Tensor& chw, const ValueRange& range, Rounding rounding) {
  const at::Tensor values = chw.detach().to(at::kCPU, at::kFloat).contiguous();
  Image image = Image::blank(values.size(2), values.size(1), values.size(0), range.type);
  const float* in = values.data_ptr<float>();
  switch (range.type) {
    case PixelType::u8:
      if (range.black_level == 0)
        gather_eight_bit(in, range, rounding, image);
      else
        gather(in, range, rounding, image, image.u8());
      break;
    case PixelType::u16:
      gather(in, range, rounding, image, image.u16());
      break;
    case PixelType::f32:
      gather(in, range, rounding, image, image.f32());
      break;
  }
  return image;
}

Image to_preview(const Image& image, const ValueRange& range) {
  if (range.black == 0) return to_u8_by_largest(image);
  if (image.type == PixelType::u8) return is_eight_bit(range) ? image : preview(image, image.u8(), range);
  return image.type == PixelType::u16 ? preview(image, image.u16(), range)
                                      : preview(image, image.f32(), range);
}

}  // namespace torsor
