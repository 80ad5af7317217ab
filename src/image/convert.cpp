#include "image/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace torsor {

namespace {

std::size_t pixel_bytes(const Image& image) {
  return static_cast<std::size_t>(image.channels * bytes_per_sample(image.type));
}

Image u16_to_u8(const Image& image) {
  Image out = Image::blank(image.width, image.height, image.channels);
  const std::uint16_t* in = image.u16();
  // 65535 / 257 = 255 exactly, and 257 is odd, so that rounding has no ties.
  for (std::int64_t i = 0; i < image.samples(); ++i)
    out.bytes[i] = static_cast<std::uint8_t>((in[i] + 128) / 257);
  return out;
}

Image f32_to_u8(const Image& image, float low, float high) {
  Image out = Image::blank(image.width, image.height, image.channels);
  const double scale = high > low ? 255.0 / (static_cast<double>(high) - low) : 0.0;
  const float* in = image.f32();
  for (std::int64_t i = 0; i < image.samples(); ++i)
    out.bytes[i] = static_cast<std::uint8_t>(std::lround((static_cast<double>(in[i]) - low) * scale));
  return out;
}

template <class T>
Image by_largest(const Image& image, const T* in, std::string& note) {
  const bool has_alpha = image.channels == 2 || image.channels == 4;
  const auto is_alpha = [&](std::int64_t i) { return has_alpha && (i + 1) % image.channels == 0; };
  double largest = 0;
  for (std::int64_t i = 0; i < image.samples(); ++i)
    if (!is_alpha(i)) largest = std::max(largest, static_cast<double>(in[i]));
  if (largest == 0) largest = 1;
  Image out = Image::blank(image.width, image.height, image.channels);
  for (std::int64_t i = 0; i < image.samples(); ++i)
    out.bytes[i] =
        static_cast<std::uint8_t>(std::lround(std::min(255.0, static_cast<double>(in[i]) * 255.0 / largest)));
  note = fmt::format("{} samples scaled so that the image's largest, {:g}, becomes 255",
                     image.type == PixelType::u16 ? "16-bit" : "float", largest);
  return out;
}

void require_finite(const Image& image) {
  const float* begin = image.f32();
  if (!std::all_of(begin, begin + image.samples(), [](float value) { return std::isfinite(value); }))
    fail("the float image holds values that are not finite; replace NaN and infinity, or remove the image");
}

std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

}  // namespace

Image to_u8(const Image& image, std::string& note) {
  note.clear();
  if (image.type == PixelType::u8) return image;
  if (image.type == PixelType::u16) {
    note = "16-bit samples divided by 257 (0..65535 to 0..255)";
    return u16_to_u8(image);
  }
  require_finite(image);
  const auto [low, high] = std::minmax_element(image.f32(), image.f32() + image.samples());
  if (*low >= 0.0f && *high <= 1.0f) {
    note = "float samples scaled from 0..1 to 0..255";
    return f32_to_u8(image, 0.0f, 1.0f);
  }
  note = fmt::format("float samples scaled from the image's own range {:g}..{:g} to 0..255", *low, *high);
  return f32_to_u8(image, *low, *high);
}

Image to_u8_by_largest(const Image& image, std::string& note) {
  note.clear();
  if (image.type == PixelType::u8) return image;
  if (image.type == PixelType::u16) return by_largest(image, image.u16(), note);
  require_finite(image);
  const float least = *std::min_element(image.f32(), image.f32() + image.samples());
  if (least < 0)
    fail("the float image holds negative samples, down to {:g}; add to it so that black is 0", least);
  return by_largest(image, image.f32(), note);
}

Image with_channels(const Image& image, std::int64_t channels) {
  if (image.channels == channels) return image;
  if (image.type != PixelType::u8)
    fail("the number of channels can be changed for 8-bit images only; convert the image to 8 bits first");
  if (image.channels > 4 || (channels != 1 && channels != 3))
    fail("an image of {} channel{} cannot become one of {}; expected 1 to 4 channels in and 1 or 3 out",
         image.channels, image.channels == 1 ? "" : "s", channels);
  Image out = Image::blank(image.width, image.height, channels);
  const std::int64_t pixels = image.width * image.height;
  const std::uint8_t* in = image.u8();
  std::uint8_t* to = out.u8();
  const bool is_grey = image.channels <= 2;  // a second or fourth channel is alpha
  for (std::int64_t i = 0; i < pixels; ++i, in += image.channels, to += channels) {
    if (channels == 1)
      to[0] = is_grey ? in[0] : luma(in);
    else
      for (int c = 0; c < 3; ++c) to[c] = in[is_grey ? 0 : c];
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
