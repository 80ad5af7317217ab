// NumPy arrays (.npy) as images: [H,W] and [H,W,C], of any number of channels, all of them data.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "image/formats.h"
#include "image/half.h"

namespace torsor::formats {

namespace {

constexpr std::string_view kTitle = "NPY", kMagic = "\x93NUMPY";
constexpr std::size_t kVersionAt = 6, kShortStart = 10, kLongStart = 12;

struct Layout {
  std::size_t header_at = 0, data_at = 0;
  char kind = 'u';          // u or f
  std::size_t stored = 1;   // bytes of a sample
  bool is_big = false;      // big endian
  bool is_fortran = false;  // the first index runs fastest
  std::vector<std::int64_t> shape;

  std::int64_t height() const { return shape[0]; }
  std::int64_t width() const { return shape[1]; }
  std::int64_t channels() const { return shape.size() == 3 ? shape[2] : 1; }
  PixelType type() const {
    return kind == 'f' ? PixelType::f32 : stored == 1 ? PixelType::u8 : PixelType::u16;
  }
  Claim claim() const { return {header_at, width(), height(), channels(), type()}; }
};

// The dict literal of the header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. The format:
// numpy/lib/format.py.
class HeaderReader {
 public:
  HeaderReader(Source& source, std::string_view text, std::size_t at)
      : source_(source), text_(text), at_(at) {}

  void read(Layout& layout) {
    layout.shape = shape(value_of("shape"));
    layout.is_fortran = value_of("fortran_order").starts_with("True");
    if (!layout.is_fortran && !value_of("fortran_order").starts_with("False"))
      damaged("no order of its axes");
    type(value_of("descr"), layout);
  }

 private:
  [[noreturn]] void damaged(std::string_view reason) const {
    source_.at = at_;
    fail_damaged(source_, kTitle, reason);
  }

  std::string_view value_of(const std::string& key) const {
    for (const char quote : {'\'', '"'}) {
      const std::size_t found = text_.find(quote + key + quote);
      if (found == std::string_view::npos) continue;
      std::string_view rest = text_.substr(found + key.size() + 2);
      rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
      return rest;
    }
    damaged("its header has no " + key);
  }

  std::vector<std::int64_t> shape(std::string_view text) const {
    std::vector<std::int64_t> out;
    const std::size_t end = text.find(')');
    if (!text.starts_with('(') || end == std::string_view::npos) damaged("its header has no shape");
    text = text.substr(1, end - 1);
    while (true) {
      text.remove_prefix(std::min(text.find_first_not_of(" ,"), text.size()));
      if (text.empty()) return out;
      std::int64_t side = 0;
      const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), side);
      if (error != std::errc() || side < 0) damaged("a side of its shape is not a number");
      text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
      if (text.starts_with('L')) text.remove_prefix(1);  // Python 2's long integers
      out.push_back(side);
    }
  }

  void type(std::string_view text, Layout& layout) const {
    const bool known = text.size() > 4 && (text[0] == '\'' || text[0] == '"') && text[4] == text[0];
    const std::string name(known ? text.substr(1, 3) : "");
    if (known) {
      layout.is_big = name[0] == '>';
      layout.kind = name[1];
      layout.stored = static_cast<std::size_t>(name[2] - '0');
    }
    const std::string_view kinds = name.size() == 3 ? std::string_view(name).substr(1) : std::string_view();
    for (const char* readable : {"u1", "u2", "f2", "f4", "f8"})
      if (kinds == readable && std::string_view("<>|").find(name[0]) != std::string_view::npos) return;
    source_.at = at_;
    fail_unsupported(source_, "a NumPy array of another type than u1, u2, f2, f4 and f8",
                     "save it with array.astype('float32')");
  }

  Source& source_;
  std::string_view text_;
  std::size_t at_;
};

std::size_t little_number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::size_t value = 0;
  while (size-- > 0) value = value << 8 | static_cast<std::uint8_t>(bytes[at + size]);
  return value;
}

Layout read_layout(Source& source) {
  const std::string_view bytes = source.bytes;
  const auto cut = [&] {
    source.at = bytes.size();
    fail_damaged(source, kTitle, "the file ends too early");
  };
  if (bytes.size() < kLongStart) cut();
  const bool is_short = bytes[kVersionAt] == 1;
  if (!is_short && bytes[kVersionAt] != 2 && bytes[kVersionAt] != 3) {
    source.at = kVersionAt;
    fail_unsupported(source, fmt::format("version {} of NumPy's format", static_cast<int>(bytes[kVersionAt])),
                     "save it with a current NumPy");
  }
  Layout layout;
  layout.header_at = is_short ? kShortStart : kLongStart;
  const std::size_t size = little_number(bytes, kVersionAt + 2, layout.header_at - kVersionAt - 2);
  if (size > bytes.size() - layout.header_at) cut();
  layout.data_at = layout.header_at + size;
  HeaderReader(source, bytes.substr(layout.header_at, size), layout.header_at).read(layout);
  if (layout.shape.size() != 2 && layout.shape.size() != 3) {
    source.at = layout.header_at;
    fail_unsupported(source, fmt::format("an array of {} dimensions", layout.shape.size()),
                     "save it as [H,W] or [H,W,C]");
  }
  check_size(source, layout.claim());
  return layout;
}

double sample_at(const Layout& layout, const char* stored) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < layout.stored; ++i)
    bits = bits << 8 | static_cast<std::uint8_t>(stored[layout.is_big ? i : layout.stored - 1 - i]);
  if (layout.kind == 'u') return static_cast<double>(bits);
  if (layout.stored == 2) return half_to_float(static_cast<std::uint16_t>(bits));
  if (layout.stored == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

// Of a double that no float comes near, infinity.
float to_float(double value) {
  constexpr double kMost = std::numeric_limits<float>::max();
  if (std::isnan(value) || std::abs(value) <= kMost) return static_cast<float>(value);
  return value < 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
}

void store(Image& image, std::int64_t i, double value) {
  if (image.type == PixelType::u8)
    image.u8()[i] = static_cast<std::uint8_t>(value);
  else if (image.type == PixelType::u16)
    image.u16()[i] = static_cast<std::uint16_t>(value);
  else
    image.f32()[i] = to_float(value);
}

}  // namespace

Header npy_header(Source& source) {
  const Layout layout = read_layout(source);
  return {{layout.width(), layout.height(), layout.channels(), layout.type()}};
}

Decoded decode_npy(Source& source) {
  const Layout layout = read_layout(source);
  const auto samples = static_cast<std::size_t>(layout.width() * layout.height() * layout.channels());
  if (source.bytes.size() - layout.data_at < samples * layout.stored) {
    source.at = source.bytes.size();
    fail_damaged(source, kTitle, "the file ends too early");
  }
  Image image = blank_checked(source, layout.claim());
  image.last = LastChannel::data;
  const char* data = source.bytes.data() + layout.data_at;
  std::int64_t i = 0;
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t x = 0; x < image.width; ++x)
      for (std::int64_t c = 0; c < image.channels; ++c, ++i) {
        const std::int64_t at = layout.is_fortran ? (c * image.width + x) * image.height + y : i;
        store(image, i, sample_at(layout, data + static_cast<std::size_t>(at) * layout.stored));
      }
  const std::size_t end = layout.data_at + samples * layout.stored;
  if (end < source.bytes.size())
    add_note(source, fmt::format("{} bytes behind the array are not read", source.bytes.size() - end));
  return {std::move(image)};
}

std::string encode_npy(const Image& image, const std::string&, const EncodeOptions&) {
  const char* type = image.type == PixelType::u8 ? "|u1" : image.type == PixelType::u16 ? "<u2" : "<f4";
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}{}), }}", type, image.height,
                  image.width, image.channels == 1 ? "" : fmt::format(", {}", image.channels));
  constexpr std::size_t kAlignment = 64;
  while ((kShortStart + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  std::string out(kMagic);
  out += {'\1', '\0', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  out += header;
  const std::size_t size = static_cast<std::size_t>(bytes_per_sample(image.type));
  const std::size_t start = out.size();
  out.append(reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size());
  if constexpr (std::endian::native == std::endian::big)
    for (std::size_t at = start; at < out.size(); at += size)
      std::reverse(out.begin() + static_cast<std::ptrdiff_t>(at),
                   out.begin() + static_cast<std::ptrdiff_t>(at + size));
  return out;
}

}  // namespace torsor::formats
