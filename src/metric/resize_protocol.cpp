#include "metric/resize_protocol.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

#include "core/error.h"
#include "image/resize.h"

namespace torsor {

namespace {

// [H,W,C] f32 -> [C,H,W]
at::Tensor planes(const Image& image, at::ScalarType dtype) {
  const at::Tensor pixels =
      at::from_blob(const_cast<float*>(image.f32()), {image.height, image.width, image.channels}, at::kFloat);
  return pixels.permute({2, 0, 1}).to(dtype).clone(at::MemoryFormat::Contiguous);
}

Image clipped(Image image) {
  float* samples = image.f32();
  for (std::int64_t i = 0; i < image.samples(); ++i) samples[i] = std::clamp(samples[i], 0.0F, 255.0F);
  return image;
}

// Along the last axis: src = i * in / out, between floor(src) and the sample behind it.
at::Tensor tf1_last_axis(const at::Tensor& x, std::int64_t out) {
  const std::int64_t in = x.size(-1);
  const at::Tensor source =
      at::arange(out, x.options()) * (static_cast<double>(in) / static_cast<double>(out));
  const at::Tensor first = source.floor().clamp_max(static_cast<double>(in - 1)).to(at::kLong);  // [out]
  const at::Tensor second = (first + 1).clamp_max(in - 1);
  const at::Tensor left = x.index_select(-1, first), right = x.index_select(-1, second);
  return left + (right - left) * (source - first.to(x.dtype()));
}

at::Tensor tf1_bilinear(const at::Tensor& x, std::int64_t width, std::int64_t height) {
  const at::Tensor across = tf1_last_axis(x, width);
  return tf1_last_axis(across.transpose(1, 2), height).transpose(1, 2).contiguous();
}

at::Tensor pytorch_bilinear(const at::Tensor& x, std::int64_t width, std::int64_t height) {
  return at::upsample_bilinear2d(x.unsqueeze(0), {height, width}, false).squeeze(0);
}

}  // namespace

std::string resizer_name(Resizer resizer) {
  switch (resizer) {
    case Resizer::clean_bicubic:
      return "clean_bicubic";
    case Resizer::pil_bilinear:
      return "pil_bilinear";
    case Resizer::pytorch_bilinear:
      return "pytorch_bilinear";
    case Resizer::tf1_bilinear:
      return "tf1_bilinear";
  }
  throw std::logic_error("resizer_name: no such resizer");
}

at::Tensor resize_as(Resizer resizer, const Image& image, std::int64_t width, std::int64_t height,
                     at::ScalarType dtype) {
  if (width < 1 || height < 1)
    fail("cannot resize an image to {} x {}; both sides must be at least 1", width, height);
  if (image.type != PixelType::f32) fail("the resizers of FID take float images; convert the image first");
  switch (resizer) {
    case Resizer::clean_bicubic:
      return planes(clipped(resize_bicubic(image, width, height)), dtype);
    case Resizer::pil_bilinear:
      return planes(resize_bilinear(image, width, height), dtype);
    case Resizer::pytorch_bilinear:
      return pytorch_bilinear(planes(image, dtype), width, height);
    case Resizer::tf1_bilinear:
      return tf1_bilinear(planes(image, dtype), width, height);
  }
  throw std::logic_error("resize_as: no such resizer");
}

}  // namespace torsor
