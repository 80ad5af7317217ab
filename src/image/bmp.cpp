// Windows bitmaps: 1, 4, 8 bits with a palette, 16, 24, 32 bits with or without masks, uncompressed.
#include <bit>
#include <vector>

#include "core/error.h"
#include "image/colour_profile.h"
#include "image/convert.h"
#include "image/formats.h"

namespace torsor::formats {

namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kWidthAt = 18, kCompressionAt = 30, kPaletteSizeAt = 46;
constexpr std::uint32_t kCoreHeader = 12;  // OS/2's: 16-bit sizes, 3-byte palette entries
constexpr std::uint32_t kInfoHeader = 40;
constexpr std::uint32_t kPlain = 0, kMasks = 3, kMasksWithAlpha = 6;

// One channel of a 16- or 32-bit pixel.
struct Mask {
  std::uint32_t bits = 0;
  std::uint8_t value(std::uint32_t pixel) const {
    const int shift = std::countr_zero(bits);
    const std::uint64_t full = bits >> shift;
    return static_cast<std::uint8_t>(((std::uint64_t{(pixel & bits) >> shift}) * 255 + full / 2) / full);
  }
};

struct Layout {
  std::int64_t width = 0, height = 0;
  bool bottom_up = true;
  std::uint32_t bits = 0, compression = kPlain, header_size = 0;
  std::size_t pixels_at = 0, palette_at = 0, palette_size = 0, palette_entry = 4;
  Mask masks[4];  // red, green, blue, alpha

  std::int64_t channels() const { return masks[3].bits != 0 ? 4 : 3; }
  std::size_t row_used() const { return (static_cast<std::size_t>(width) * bits + 7) / 8; }
  std::size_t row_stored() const { return (row_used() + 3) / 4 * 4; }
  Claim claim() const { return {kWidthAt, width, height, channels()}; }
};

[[noreturn]] void fail_at(Source& source, std::size_t at, std::string_view reason) {
  source.at = at;
  fail_damaged(source, "BMP", reason);
}

// Throws unless `size` bytes follow at `at`; the first one that is missing is the place to name.
void check_there(Source& source, std::size_t at, std::size_t size, std::string_view reason) {
  if (at > source.bytes.size() || source.bytes.size() - at < size)
    fail_at(source, source.bytes.size(), reason);
}

std::uint32_t number(Source& source, std::size_t at, std::size_t size) {
  check_there(source, at, size, "the file ends too early");
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(source.bytes[at + i]);
  return value;
}

void read_sizes(Source& source, Layout& layout) {
  if (layout.header_size == kCoreHeader) {
    layout.width = number(source, kWidthAt, 2);
    layout.height = number(source, 20, 2);
    layout.bits = number(source, 24, 2);
    layout.palette_entry = 3;
    return;
  }
  layout.width = static_cast<std::int32_t>(number(source, kWidthAt, 4));
  layout.height = static_cast<std::int32_t>(number(source, 22, 4));
  layout.bits = number(source, 28, 2);
  layout.compression = number(source, kCompressionAt, 4);
  layout.bottom_up = layout.height >= 0;
  if (!layout.bottom_up) layout.height = -layout.height;
}

void read_masks(Source& source, Layout& layout) {
  if (layout.compression == kPlain) {
    const bool is_wide = layout.bits == 32;
    layout.masks[0].bits = is_wide ? 0x00FF0000 : 0x7C00;
    layout.masks[1].bits = is_wide ? 0x0000FF00 : 0x03E0;
    layout.masks[2].bits = is_wide ? 0x000000FF : 0x001F;
    return;
  }
  // They follow the 40 bytes of the information header, or are a part of its later versions at the same
  // place.
  const std::size_t at = kFileHeader + kInfoHeader;
  const bool has_alpha = layout.header_size >= 56 || layout.compression == kMasksWithAlpha;
  for (std::size_t c = 0; c < (has_alpha ? 4u : 3u); ++c)
    layout.masks[c].bits = number(source, at + 4 * c, 4);
  for (std::size_t c = 0; c < 3; ++c)
    if (layout.masks[c].bits == 0) fail_at(source, at + 4 * c, "a colour mask is 0");
}

void read_palette_place(Source& source, Layout& layout) {
  layout.palette_at = kFileHeader + layout.header_size;
  const std::uint32_t most = 1u << layout.bits;
  const std::uint32_t used = layout.header_size == kCoreHeader ? 0 : number(source, kPaletteSizeAt, 4);
  layout.palette_size = used == 0 || used > most ? most : used;
  check_there(source, layout.palette_at, layout.palette_size * layout.palette_entry,
              "the file ends within its palette");
}

Layout read_layout(Source& source) {
  Layout layout;
  layout.pixels_at = number(source, 10, 4);
  layout.header_size = number(source, kFileHeader, 4);
  if (layout.header_size != kCoreHeader && (layout.header_size < kInfoHeader || layout.header_size > 1024))
    fail_at(source, kFileHeader, "the size of its header is not valid");
  read_sizes(source, layout);
  if (layout.compression != kPlain && layout.compression != kMasks && layout.compression != kMasksWithAlpha) {
    source.at = kCompressionAt;
    fail_unsupported(source, "a compressed BMP", "save it uncompressed or as PNG");
  }
  const bool is_masked = layout.bits == 16 || layout.bits == 32;
  const bool is_indexed = layout.bits == 1 || layout.bits == 4 || layout.bits == 8;
  if (!is_masked && (layout.compression != kPlain || (!is_indexed && layout.bits != 24)))
    fail_at(source, layout.header_size == kCoreHeader ? 24 : 28, fmt::format("{} bits a pixel", layout.bits));
  if (is_masked) read_masks(source, layout);
  if (is_indexed) read_palette_place(source, layout);
  check_size(source, layout.claim());
  return layout;
}

class RowDecoder {
 public:
  RowDecoder(Source& source, const Layout& layout) : source_(source), layout_(layout) {}

  // `at` is where the row begins in the file.
  void decode(std::size_t at, std::uint8_t* out) const {
    const auto* row = reinterpret_cast<const std::uint8_t*>(source_.bytes.data()) + at;
    if (layout_.bits == 24)
      decode_bgr(row, out);
    else if (layout_.bits >= 16)
      decode_masked(row, out);
    else
      decode_indexed(row, at, out);
  }

 private:
  void decode_bgr(const std::uint8_t* row, std::uint8_t* out) const {
    for (std::int64_t x = 0; x < layout_.width; ++x, row += 3, out += 3) {
      out[0] = row[2];
      out[1] = row[1];
      out[2] = row[0];
    }
  }

  void decode_masked(const std::uint8_t* row, std::uint8_t* out) const {
    const std::size_t size = layout_.bits / 8;
    for (std::int64_t x = 0; x < layout_.width; ++x, row += size) {
      std::uint32_t pixel = 0;
      for (std::size_t i = size; i-- > 0;) pixel = pixel << 8 | row[i];
      for (std::int64_t c = 0; c < layout_.channels(); ++c) *out++ = layout_.masks[c].value(pixel);
    }
  }

  void decode_indexed(const std::uint8_t* row, std::size_t at, std::uint8_t* out) const {
    const std::uint32_t per_byte = 8 / layout_.bits, mask = (1u << layout_.bits) - 1;
    for (std::uint32_t x = 0; x < layout_.width; ++x) {
      const std::uint32_t shift = 8 - layout_.bits * (x % per_byte + 1);
      const std::uint32_t index = row[x / per_byte] >> shift & mask;
      if (index >= layout_.palette_size)
        fail_at(source_, at + x / per_byte, "a pixel names a colour outside the palette");
      const std::size_t entry = layout_.palette_at + index * layout_.palette_entry;
      for (std::size_t c = 0; c < 3; ++c) *out++ = static_cast<std::uint8_t>(source_.bytes[entry + 2 - c]);
    }
  }

  Source& source_;
  const Layout& layout_;
};

// Whether there is a profile, which then lies behind the pixels.
bool apply_own_profile(Source& source, const Layout& layout, Image& image) {
  constexpr std::uint32_t kLastHeader = 124, kEmbedded = 0x4D424544, kLinked = 0x4C494E4B;
  constexpr std::size_t kColourSpaceAt = kFileHeader + 56, kProfileAt = kFileHeader + 112;
  if (layout.header_size < kLastHeader) return false;
  const std::uint32_t space = number(source, kColourSpaceAt, 4);
  const std::size_t at = kFileHeader + number(source, kProfileAt, 4),
                    size = number(source, kProfileAt + 4, 4);
  if (space == kLinked) add_note(source, "the colour profile that it names is ignored");
  if (space != kEmbedded || at >= source.bytes.size()) return false;
  apply_profile(source, source.bytes.substr(at, size), colours_by_number(image), image);
  return true;
}

// Writers fill the last row, and some the file, up to 4 bytes.
void add_notes(Source& source, std::size_t pixels_end) {
  const std::size_t expected = (pixels_end + 3) / 4 * 4 + 4;
  if (source.bytes.size() > expected)
    add_note(source,
             fmt::format("{} bytes behind the picture are not read", source.bytes.size() - pixels_end));
}

void append(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

std::string make_header(const Image& image, std::size_t pixel_bytes) {
  const auto offset = static_cast<std::uint32_t>(kFileHeader + kInfoHeader);
  std::string out = "BM";
  append(out, offset + static_cast<std::uint32_t>(pixel_bytes), 4);
  append(out, 0, 4);
  append(out, offset, 4);
  append(out, kInfoHeader, 4);
  append(out, static_cast<std::uint32_t>(image.width), 4);
  append(out, static_cast<std::uint32_t>(image.height), 4);
  append(out, 1, 2);   // planes
  append(out, 24, 2);  // bits a pixel
  append(out, kPlain, 4);
  append(out, static_cast<std::uint32_t>(pixel_bytes), 4);
  out.append(16, '\0');  // resolution and palette sizes, unknown
  return out;
}

}  // namespace

Header bmp_header(Source& source) {
  const Layout layout = read_layout(source);
  return {{layout.width, layout.height, layout.channels(), PixelType::u8}};
}

Decoded decode_bmp(Source& source) {
  const Layout layout = read_layout(source);
  const std::size_t needed =
      layout.row_stored() * static_cast<std::size_t>(layout.height - 1) + layout.row_used();
  check_there(source, layout.pixels_at, needed, "the file ends too early");
  Image image = blank_checked(source, layout.claim());
  const RowDecoder decoder(source, layout);
  for (std::int64_t i = 0; i < layout.height; ++i) {
    const std::int64_t y = layout.bottom_up ? layout.height - 1 - i : i;
    decoder.decode(layout.pixels_at + static_cast<std::size_t>(i) * layout.row_stored(),
                   image.u8() + y * layout.width * image.channels);
  }
  if (!apply_own_profile(source, layout, image)) add_notes(source, layout.pixels_at + needed);
  return {std::move(image)};
}

std::string encode_bmp(const Image& image, const std::string& name, const EncodeOptions& options) {
  if (image.channels == 1) return encode_bmp(with_channels(image, 3), name, options);
  const std::size_t row = static_cast<std::size_t>(image.width) * 3, padding = (4 - row % 4) % 4;
  const std::size_t pixel_bytes = (row + padding) * static_cast<std::size_t>(image.height);
  if (pixel_bytes > 0xFFFFFF00u) fail("{}: too large for BMP; write PNG or TIFF instead", name);
  std::string out = make_header(image, pixel_bytes);
  out.reserve(out.size() + pixel_bytes);
  for (std::int64_t y = image.height; y-- > 0;) {
    const std::uint8_t* in = image.u8() + static_cast<std::size_t>(y) * row;
    for (std::int64_t x = 0; x < image.width; ++x, in += 3)
      for (int c = 2; c >= 0; --c) out.push_back(static_cast<char>(in[c]));
    out.append(padding, '\0');
  }
  return out;
}

}  // namespace torsor::formats
