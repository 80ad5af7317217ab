#include "image/exif.h"

#include <cstring>
#include <utility>

namespace torsor {

namespace {

// Reads integers of either byte order; outside of the block everything is 0, which no caller takes for valid.
class Bytes {
 public:
  Bytes(std::string_view block, bool big_endian) : block_(block), big_endian_(big_endian) {}

  std::uint32_t number(std::size_t at, std::size_t size) const {
    if (at > block_.size() || block_.size() - at < size) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = big_endian_ ? at + i : at + size - 1 - i;
      value = value << 8 | static_cast<std::uint8_t>(block_[from]);
    }
    return value;
  }

 private:
  std::string_view block_;
  bool big_endian_;
};

Bytes big_endian(std::string_view block) { return Bytes(block, true); }
Bytes little_endian(std::string_view block) { return Bytes(block, false); }

// Where the pixel (x, y) of the upright picture lies in a stored picture of this width and height.
std::pair<std::int64_t, std::int64_t> stored_place(int orientation, std::int64_t x, std::int64_t y,
                                                   std::int64_t width, std::int64_t height) {
  const std::int64_t last_x = width - 1, last_y = height - 1;
  switch (orientation) {
    case 2:
      return {last_x - x, y};  // mirrored left-right
    case 3:
      return {last_x - x, last_y - y};  // upside down
    case 4:
      return {x, last_y - y};  // mirrored top-bottom
    case 5:
      return {y, x};  // transposed
    case 6:
      return {y, last_y - x};  // turned left: needs a quarter turn clockwise
    case 7:
      return {last_x - y, last_y - x};  // transposed along the other diagonal
    case 8:
      return {last_x - y, x};  // turned right
    default:
      return {x, y};
  }
}

}  // namespace

std::uint32_t exif_number(std::string_view exif, std::uint16_t tag) {
  if (exif.starts_with(kExifPrefix)) exif.remove_prefix(kExifPrefix.size());
  const bool motorola = exif.starts_with(std::string_view("MM\0*", 4));
  if (!motorola && !exif.starts_with(std::string_view("II*\0", 4))) return 0;
  const Bytes bytes(exif, motorola);
  const std::size_t directory = bytes.number(4, 4);
  const std::size_t entries = bytes.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (bytes.number(entry, 2) != tag) continue;
    const std::uint32_t field_type = bytes.number(entry + 2, 2);
    return bytes.number(entry + 8, field_type == 4 ? 4 : 2);  // LONG or SHORT
  }
  return 0;
}

int exif_orientation(std::string_view exif) {
  const std::uint32_t value = exif_number(exif, 0x0112);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

std::string_view find_png_exif(std::string_view file) {
  const Bytes bytes = big_endian(file);
  std::size_t at = 8;
  while (at + 12 <= file.size()) {
    const std::size_t size = bytes.number(at, 4);
    if (size > file.size() - at - 12) break;
    if (file.substr(at + 4, 4) == "eXIf") return file.substr(at + 8, size);
    at += 12 + size;
  }
  return {};
}

std::string_view find_webp_exif(std::string_view file) {
  const Bytes bytes = little_endian(file);
  std::size_t at = 12;
  while (at + 8 <= file.size()) {
    const std::size_t size = bytes.number(at + 4, 4);
    if (size > file.size() - at - 8) break;
    if (file.substr(at, 4) == "EXIF") return file.substr(at + 8, size);
    at += 8 + size + size % 2;
  }
  return {};
}

Image apply_orientation(Image stored, int orientation) {
  if (orientation <= 1 || orientation > 8) return stored;
  const bool swap = swaps_sides(orientation);
  Image upright = Image::blank(swap ? stored.height : stored.width, swap ? stored.width : stored.height,
                               stored.channels, stored.type);
  const std::size_t pixel = static_cast<std::size_t>(stored.channels * bytes_per_sample(stored.type));
  upright.with_tags_of(stored);
  std::uint8_t* out = upright.bytes.data();
  for (std::int64_t y = 0; y < upright.height; ++y)
    for (std::int64_t x = 0; x < upright.width; ++x, out += pixel) {
      const auto [from_x, from_y] = stored_place(orientation, x, y, stored.width, stored.height);
      std::memcpy(out, stored.bytes.data() + static_cast<std::size_t>(from_y * stored.width + from_x) * pixel,
                  pixel);
    }
  return upright;
}

}  // namespace torsor
