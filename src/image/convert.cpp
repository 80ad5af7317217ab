#include "image/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/error.h"

namespace torsor {

namespace {

std::size_t pixel_bytes(const Image& image) {
  return static_cast<std::size_t>(image.channels * bytes_per_sample(image.type));
}

template <class T>
Image by_largest(const Image& image, const T* in) {
  const auto is_alpha = [&](std::int64_t i) { return image.has_alpha() && (i + 1) % image.channels == 0; };
  double largest = 0;
  for (std::int64_t i = 0; i < image.samples(); ++i)
    if (!is_alpha(i)) largest = std::max(largest, static_cast<double>(in[i]));
  if (largest == 0) largest = 1;
  Image out = Image::blank(image.width, image.height, image.channels);
  for (std::int64_t i = 0; i < image.samples(); ++i)
    out.bytes[i] =
        static_cast<std::uint8_t>(std::lround(std::min(255.0, static_cast<double>(in[i]) * 255.0 / largest)));
  return out;
}

void require_finite(const Image& image) {
  const float* begin = image.f32();
  if (!std::all_of(begin, begin + image.samples(), [](float value) { return std::isfinite(value); }))
    fail("the float image holds values that are not finite; replace NaN and infinity, or remove the image");
}

template <class T>
T luma(const T* rgb) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>((19595.0 * rgb[0] + 38470.0 * rgb[1] + 7471.0 * rgb[2]) / 65536.0);
  else
    return static_cast<T>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

template <class T>
void change_channels(const Image& image, const T* in, std::int64_t channels, T* to) {
  const std::int64_t pixels = image.width * image.height;
  const bool is_grey = image.channels <= 2;  // a second or fourth channel is alpha
  for (std::int64_t i = 0; i < pixels; ++i, in += image.channels, to += channels) {
    if (channels == 1)
      to[0] = is_grey ? in[0] : luma(in);
    else
      for (int c = 0; c < 3; ++c) to[c] = in[is_grey ? 0 : c];
  }
}

}  // namespace

Image to_f32(const Image& image) {
  if (image.type == PixelType::f32) return image;
  Image out = Image::blank(image.width, image.height, image.channels, PixelType::f32);
  out.with_tags_of(image);
  const auto copy = [&](const auto* in) { std::copy(in, in + image.samples(), out.f32()); };
  image.type == PixelType::u8 ? copy(image.u8()) : copy(image.u16());
  return out;
}

Image to_u8_by_largest(const Image& image) {
  if (image.type == PixelType::u8) return image;
  if (image.type == PixelType::u16) return by_largest(image, image.u16());
  require_finite(image);
  const float least = *std::min_element(image.f32(), image.f32() + image.samples());
  if (least < 0)
    fail("the float image holds negative samples, down to {:g}; add to it so that black is 0", least);
  return by_largest(image, image.f32());
}

Image with_channels(const Image& image, std::int64_t channels) {
  if (image.channels == channels) return image;
  if (image.channels > 4 || (channels != 1 && channels != 3))
    fail("an image of {} channel{} cannot become one of {}; expected 1 to 4 channels in and 1 or 3 out",
         image.channels, image.channels == 1 ? "" : "s", channels);
  Image out = Image::blank(image.width, image.height, channels, image.type);
  switch (image.type) {
    case PixelType::u8:
      change_channels(image, image.u8(), channels, out.u8());
      break;
    case PixelType::u16:
      change_channels(image, image.u16(), channels, out.u16());
      break;
    case PixelType::f32:
      change_channels(image, image.f32(), channels, out.f32());
      break;
  }
  return out;
}

Image flip_horizontal(const Image& image) {
  Image out = Image::blank(image.width, image.height, image.channels, image.type);
  const std::size_t pixel = pixel_bytes(image);
  const std::size_t row = pixel * static_cast<std::size_t>(image.width);
  for (std::size_t start = 0; start < out.bytes.size(); start += row)
    for (std::size_t x = 0; x < row; x += pixel)
      std::memcpy(&out.bytes[start + row - pixel - x], &image.bytes[start + x], pixel);
  return out;
}

Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height) {
  if (left < 0 || top < 0 || width < 1 || height < 1 || width > image.width - left ||
      height > image.height - top)
    fail("a crop of {} x {} at ({}, {}) leaves the image of {} x {}; choose a smaller crop or a larger image",
         width, height, left, top, image.width, image.height);
  Image out = Image::blank(width, height, image.channels, image.type);
  const std::size_t pixel = pixel_bytes(image);
  const std::size_t row = pixel * static_cast<std::size_t>(width);
  for (std::int64_t y = 0; y < height; ++y)
    std::memcpy(out.bytes.data() + static_cast<std::size_t>(y) * row,
                image.bytes.data() + static_cast<std::size_t>((top + y) * image.width + left) * pixel, row);
  return out;
}

}  // namespace torsor
