#include "api/pixels.h"

#include <torch/types.h>

#include <cstring>

#include "core/error.h"

namespace torsor {

PixelType pixel_type(SampleType type) {
  return type == SampleType::u8 ? PixelType::u8 : type == SampleType::u16 ? PixelType::u16 : PixelType::f32;
}

namespace {

std::ptrdiff_t or_else(std::ptrdiff_t stride, std::int64_t dense) { return stride != 0 ? stride : dense; }

PixelLayout with_strides(PixelLayout layout) {
  const std::int64_t sample = bytes_per_sample(pixel_type(layout.type));
  layout.channel_stride = or_else(layout.channel_stride, sample);
  layout.x_stride = or_else(layout.x_stride, layout.channels * sample);
  layout.y_stride = or_else(layout.y_stride, layout.width * layout.x_stride);
  return layout;
}

PixelLayout planar(PixelLayout like) {
  like.x_stride = bytes_per_sample(pixel_type(like.type));
  like.y_stride = like.width * like.x_stride;
  like.channel_stride = like.height * like.y_stride;
  return like;
}

PixelLayout interleaved(PixelLayout like) {
  like.x_stride = like.y_stride = like.channel_stride = 0;
  return with_strides(like);
}

// memcpy, since the caller's samples need not be aligned.
template <class Sample>
void copy(const std::uint8_t* from, const PixelLayout& from_layout, std::uint8_t* to,
          const PixelLayout& to_layout) {
  for (std::int64_t y = 0; y < from_layout.height; ++y)
    for (std::int64_t x = 0; x < from_layout.width; ++x)
      for (std::int64_t c = 0; c < from_layout.channels; ++c) {
        const auto at = [&](const PixelLayout& l) {
          return y * l.y_stride + x * l.x_stride + c * l.channel_stride;
        };
        std::memcpy(to + at(to_layout), from + at(from_layout), sizeof(Sample));
      }
}

void copy(const void* from, const PixelLayout& from_layout, void* to, const PixelLayout& to_layout) {
  const auto* source = static_cast<const std::uint8_t*>(from);
  auto* target = static_cast<std::uint8_t*>(to);
  switch (from_layout.type) {
    case SampleType::u8:
      return copy<std::uint8_t>(source, from_layout, target, to_layout);
    case SampleType::u16:
      return copy<std::uint16_t>(source, from_layout, target, to_layout);
    case SampleType::f32:
      return copy<float>(source, from_layout, target, to_layout);
  }
}

}  // namespace

void check_pixels(const void* data, const PixelLayout& layout, const std::string& role) {
  constexpr std::int64_t kLongestSide = 1 << 20, kMostPixels = std::int64_t{1} << 31;
  if (data == nullptr) fail("{}: no memory was given for its pixels", role);
  if (layout.type != SampleType::u8 && layout.type != SampleType::u16 && layout.type != SampleType::f32)
    fail("{}: sample type {} is none of u8 (0), u16 (1) and f32 (2)", role, static_cast<int>(layout.type));
  if (layout.width < 1 || layout.height < 1 || layout.width > kLongestSide || layout.height > kLongestSide ||
      layout.width * layout.height > kMostPixels)
    fail("{}: {}x{} pixels; expected sides from 1 to {} and at most {} pixels", role, layout.width,
         layout.height, kLongestSide, kMostPixels);
}

Image gather_image(const void* data, const PixelLayout& layout) {
  Image out = Image::blank(layout.width, layout.height, layout.channels, pixel_type(layout.type));
  copy(data, with_strides(layout), out.bytes.data(), interleaved(layout));
  return out;
}

at::Tensor gather_tensor(const void* data, const PixelLayout& layout) {
  const at::Tensor out = at::empty({layout.channels, layout.height, layout.width}, at::kFloat);
  copy(data, with_strides(layout), out.data_ptr(), planar(layout));
  if (!out.abs().le(1).all().item<bool>())
    fail(
        "input image: a float sample is not in [-1, 1]; scale the samples so that -1 is black and 1 is "
        "white");
  return out;
}

void scatter(const Image& image, void* data, const PixelLayout& layout) {
  copy(image.bytes.data(), interleaved(layout), data, with_strides(layout));
}

void scatter(const at::Tensor& chw, void* data, const PixelLayout& layout) {
  const at::Tensor floats = chw.to(at::kCPU, at::kFloat).contiguous();
  copy(floats.data_ptr(), planar(layout), data, with_strides(layout));
}

}  // namespace torsor
