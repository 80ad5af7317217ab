#include "image/image.h"

#include "core/error.h"

namespace torsor {

std::string depth_text(PixelType type) {
  return type == PixelType::u8 ? "8-bit" : type == PixelType::u16 ? "16-bit" : "float";
}

Image Image::blank(std::int64_t width, std::int64_t height, std::int64_t channels, PixelType type) {
  if (width < 1 || height < 1 || channels < 1)
    fail("an image of {} x {} pixels and {} channels cannot be made; each must be at least 1", width, height,
         channels);
  Image image{width, height, channels, type, {}};
  image.bytes.resize(static_cast<std::size_t>(image.samples() * bytes_per_sample(type)));
  return image;
}

Image& Image::with_tags_of(const Image& other) {
  last = other.last;
  no_data = other.no_data;
  profile = other.profile;
  return *this;
}

}  // namespace torsor
