#include "data/tensor_image.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstring>

#include "core/error.h"

namespace torsor {

namespace {

template <class T>
void spread(const Image& image, const T* stored, float white, float* out) {
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < image.channels; ++c)
      out[c * pixels + p] = (static_cast<float>(stored[p * image.channels + c]) / white - 0.5F) / 0.5F;
}

}  // namespace

ValueRange natural_range(PixelType type) {
  return {type == PixelType::u8 ? 255.0 : type == PixelType::u16 ? 65535.0 : 1.0};
}

at::Tensor to_tensor(const Image& image, const ValueRange& range) {
  at::Tensor out = at::empty({image.channels, image.height, image.width}, at::kFloat);
  float* values = out.data_ptr<float>();
  const auto white = static_cast<float>(range.white);
  switch (image.type) {
    case PixelType::u8:
      spread(image, image.u8(), white, values);
      break;
    case PixelType::u16:
      spread(image, image.u16(), white, values);
      break;
    case PixelType::f32:
      spread(image, image.f32(), white, values);
      break;
  }
  return out;
}

Image to_image(const at::Tensor& chw, Rounding rounding) {
  const at::Tensor values = chw.detach().to(at::kCPU, at::kFloat).contiguous();
  Image image = Image::blank(values.size(2), values.size(1), values.size(0));
  const std::int64_t pixels = image.width * image.height;
  const float* in = values.data_ptr<float>();
  for (std::int64_t c = 0; c < image.channels; ++c) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float x = in[c * pixels + p];
      if (std::isnan(x)) fail("a generated image holds NaN; the model is damaged or diverged");
      // The reference computes (x + 1) / 2 * 255 in this order and lets the cast truncate.
      const float stored = std::min(255.0F, std::max(0.0F, (x + 1.0F) / 2.0F * 255.0F));
      image.u8()[p * image.channels + c] = static_cast<std::uint8_t>(
          rounding == Rounding::nearest ? std::lround(stored) : static_cast<long>(stored));
    }
  }
  return image;
}

}  // namespace torsor
