#include "data/tensor_image.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/text.h"
#include "image/convert.h"

namespace torsor {

namespace {

const std::string kWhite = "white", kPercentile95 = "percentile_95";

// `to_value` makes the network's value of a share of white.
template <class T, class ToValue>
void spread(const Image& image, const T* stored, float white, ToValue to_value, float* out) {
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < image.channels; ++c)
      out[c * pixels + p] = to_value(static_cast<float>(stored[p * image.channels + c]) / white);
}

template <class T>
void spread(const Image& image, const T* stored, const ValueRange& range, float* out) {
  const auto white = static_cast<float>(range.white);
  if (range.black == 0)
    return spread(
        image, stored, white, [](float x) { return x; }, out);
  spread(
      image, stored, white, [](float x) { return (x - 0.5F) / 0.5F; }, out);
}

// Whether something that was hidden comes to be seen; where all is opaque nothing does.
bool loses_alpha(const Image& image, std::int64_t channels) {
  if (image.channels == channels || (image.channels != 2 && image.channels != 4)) return false;
  for (std::int64_t i = image.channels - 1; i < image.samples(); i += image.channels)
    if (image.u8()[i] != 255) return true;
  return false;
}

double largest_sample(PixelType type) {
  return type == PixelType::u8 ? 255.0 : type == PixelType::u16 ? 65535.0 : 1.0;
}

}  // namespace

std::vector<std::string> scalings() { return {kWhite, kPercentile95}; }

bool scales_each_image(const std::string& scaling) { return scaling == kPercentile95; }

double percentile_95(const Image& image) {
  if (image.type != PixelType::u8) fail("the percentile of an image is taken of 8-bit samples");
  std::array<std::int64_t, 256> counts{};
  for (std::int64_t i = 0; i < image.samples(); ++i) ++counts[image.u8()[i]];
  return percentile_95(counts);
}

double percentile_95(const std::array<std::int64_t, 256>& counts) {
  const std::int64_t last = std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) - 1;
  if (last < 0) fail("there is no percentile of no samples");
  // The sample at a place of the sorted list.
  const auto at = [&](std::int64_t place) {
    std::size_t value = 0;
    for (std::int64_t below = counts[0]; below <= place; below += counts[value]) ++value;
    return static_cast<double>(value);
  };
  const double place = 0.95 * static_cast<double>(last);
  const auto low = static_cast<std::int64_t>(place);
  const double here = at(low), next = at(std::min(low + 1, last));
  return here + (next - here) * (place - static_cast<double>(low));
}

Image to_input(const Image& stored, std::int64_t channels, const std::string& scaling, std::string& note,
               const std::string& name) {
  try {
    const Image image = scales_each_image(scaling) ? to_u8_by_largest(stored, note) : to_u8(stored, note);
    if (loses_alpha(image, channels))
      note += (note.empty() ? "" : "; ") +
              std::string("alpha is left out: transparent pixels show the colour that is stored under them");
    return with_channels(image, channels);
  } catch (const Error& error) {
    fail("{}: {}", name, error.what());
  }
}

ValueRange range_of(const Image& image, const std::string& scaling, const std::string& name) {
  if (scaling == kWhite) return {largest_sample(image.type), -1};
  if (scaling != kPercentile95) fail_usage("unknown scaling '{}' (one of {})", scaling, join(scalings()));
  const double white = percentile_95(image);
  if (white == 0)
    fail(
        "{}: its 95th percentile is 0, as 19 of 20 samples are black: it cannot be scaled by it; leave such "
        "images out (a model trained with --scaling white takes them)",
        name);
  return {white, 0};
}

at::Tensor to_tensor(const Image& image, const ValueRange& range) {
  at::Tensor out = at::empty({image.channels, image.height, image.width}, at::kFloat);
  float* values = out.data_ptr<float>();
  switch (image.type) {
    case PixelType::u8:
      spread(image, image.u8(), range, values);
      break;
    case PixelType::u16:
      spread(image, image.u16(), range, values);
      break;
    case PixelType::f32:
      spread(image, image.f32(), range, values);
      break;
  }
  return out;
}

Image to_image(const at::Tensor& chw, const ValueRange& range, Rounding rounding) {
  const auto white = static_cast<float>(range.white);
  const bool shifted = range.black != 0;
  const at::Tensor values = chw.detach().to(at::kCPU, at::kFloat).contiguous();
  Image image = Image::blank(values.size(2), values.size(1), values.size(0));
  const std::int64_t pixels = image.width * image.height;
  const float* in = values.data_ptr<float>();
  for (std::int64_t c = 0; c < image.channels; ++c) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float x = in[c * pixels + p];
      if (std::isnan(x)) fail("a generated image holds NaN; the model is damaged or diverged");
      // The reference computes (x + 1) / 2 * 255 in this order and lets the cast truncate.
      const float share = shifted ? (x + 1.0F) / 2.0F : x;
      const float stored = std::min(255.0F, std::max(0.0F, share * white));
      image.u8()[p * image.channels + c] = static_cast<std::uint8_t>(
          rounding == Rounding::nearest ? std::lround(stored) : static_cast<long>(stored));
    }
  }
  return image;
}

}  // namespace torsor
