// Netpbm's PGM and PPM, binary (P5, P6) and plain (P2, P3), up to 16 bits.
#include <algorithm>

#include "core/error.h"
#include "image/formats.h"

namespace torsor::formats {

namespace {

constexpr std::string_view kTitle = "PPM/PGM";

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::size_t kSizesAt = 2;  // behind the magic number

[[noreturn]] void fail_at(Source& source, std::size_t at, std::string_view reason) {
  source.at = at;
  fail_damaged(source, kTitle, reason);
}

// Reads the numbers of the header and of plain files: decimal, between them white space and # comments.
class Numbers {
 public:
  explicit Numbers(Source& source) : source_(source) {}

  std::uint32_t next() {
    skip_space();
    constexpr std::uint32_t kEnough = 100000000;
    std::uint32_t value = 0;
    start_ = at_;
    for (; at_ < source_.bytes.size() && is_digit(source_.bytes[at_]); ++at_)
      if (value < kEnough) value = value * 10 + static_cast<std::uint32_t>(source_.bytes[at_] - '0');
    if (at_ == start_)
      fail_at(source_, at_, at_ == source_.bytes.size() ? "the file ends too early" : "a number is missing");
    return value;
  }

  std::size_t at() const { return at_; }
  std::size_t last_at() const { return start_; }  // where the last number began

 private:
  void skip_space() {
    while (at_ < source_.bytes.size()) {
      if (source_.bytes[at_] == '#')
        at_ = std::min(source_.bytes.find('\n', at_), source_.bytes.size());
      else if (is_space(source_.bytes[at_]))
        ++at_;
      else
        return;
    }
  }

  Source& source_;
  std::size_t at_ = kSizesAt, start_ = kSizesAt;
};

struct Layout {
  std::int64_t width = 0, height = 0, channels = 1;
  std::uint32_t most = 255;  // the value of white
  bool is_plain = false;
  std::size_t pixels_at = 0;
  PixelType type() const { return most > 255 ? PixelType::u16 : PixelType::u8; }
  Claim claim() const { return {kSizesAt, width, height, channels, type()}; }
};

Layout read_layout(Source& source) {
  const char kind = source.bytes[1];
  if (kind == '1' || kind == '4' || kind == '7')
    fail_unsupported(source, "a PBM or PAM file", "save it as PGM, PPM or PNG");
  Layout layout;
  Numbers numbers(source);
  layout.channels = kind == '3' || kind == '6' ? 3 : 1;
  layout.is_plain = kind == '2' || kind == '3';
  layout.width = numbers.next();
  layout.height = numbers.next();
  layout.most = numbers.next();
  layout.pixels_at = numbers.at() + 1;  // exactly one white-space character
  if (layout.most < 1 || layout.most > 65535)
    fail_at(source, numbers.last_at(), "the largest value is not in 1..65535");
  check_size(source, layout.claim());
  return layout;
}

// Puts sample i, which stands at `at`, scaled so that the file's largest value becomes the type's.
void store(Source& source, std::size_t at, const Layout& layout, std::uint32_t value, std::int64_t i,
           Image& image) {
  if (value > layout.most) fail_at(source, at, "a sample is above the largest value of the header");
  const std::uint32_t full = image.type == PixelType::u16 ? 65535 : 255;
  const auto scaled = (std::uint64_t{value} * full + layout.most / 2) / layout.most;
  if (image.type == PixelType::u16)
    image.u16()[i] = static_cast<std::uint16_t>(scaled);
  else
    image.u8()[i] = static_cast<std::uint8_t>(scaled);
}

void note_rest(Source& source, std::size_t end) {
  while (end < source.bytes.size() && is_space(source.bytes[end])) ++end;
  if (end < source.bytes.size())
    add_note(source, fmt::format("{} bytes behind the picture are not read", source.bytes.size() - end));
}

void read_plain(Source& source, const Layout& layout, Image& image) {
  Numbers numbers(source);
  for (int i = 0; i < 3; ++i) numbers.next();  // the header's
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    const std::uint32_t value = numbers.next();
    store(source, numbers.last_at(), layout, value, i, image);
  }
  note_rest(source, numbers.at());
}

void read_binary(Source& source, const Layout& layout, Image& image) {
  const auto* in = reinterpret_cast<const std::uint8_t*>(source.bytes.data());
  const bool is_wide = image.type == PixelType::u16;
  std::size_t at = layout.pixels_at;
  for (std::int64_t i = 0; i < image.samples(); ++i, at += is_wide ? 2 : 1)
    store(source, at, layout, is_wide ? in[at] * 256u + in[at + 1] : in[at], i, image);
  note_rest(source, at);
}

// A sample takes at least one byte, a plain one two but for the last. Told before memory is taken for the
// pixels.
void check_length(Source& source, const Layout& layout) {
  const auto samples = static_cast<std::size_t>(layout.width * layout.height * layout.channels);
  const std::size_t per_sample =
      layout.is_plain ? 2 : static_cast<std::size_t>(bytes_per_sample(layout.type()));
  const std::size_t needed = samples * per_sample - (layout.is_plain ? 1 : 0);
  if (layout.pixels_at > source.bytes.size() || source.bytes.size() - layout.pixels_at < needed)
    fail_at(source, source.bytes.size(), "the file ends too early");
}

}  // namespace

Header pnm_header(Source& source) {
  const Layout layout = read_layout(source);
  return {{layout.width, layout.height, layout.channels, layout.type()}};
}

Decoded decode_pnm(Source& source) {
  const Layout layout = read_layout(source);
  check_length(source, layout);
  Image image = blank_checked(source, layout.claim());
  if (layout.is_plain)
    read_plain(source, layout, image);
  else
    read_binary(source, layout, image);
  return {std::move(image)};
}

std::string encode_pnm(const Image& image, const std::string&, const EncodeOptions&) {
  const bool is_wide = image.type == PixelType::u16;
  std::string out = fmt::format("{}\n{} {}\n{}\n", image.channels == 1 ? "P5" : "P6", image.width,
                                image.height, is_wide ? 65535 : 255);
  if (!is_wide) return out.append(reinterpret_cast<const char*>(image.u8()), image.bytes.size());
  out.reserve(out.size() + image.bytes.size());
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    out.push_back(static_cast<char>(image.u16()[i] >> 8));
    out.push_back(static_cast<char>(image.u16()[i] & 0xFF));
  }
  return out;
}

}  // namespace torsor::formats
