// PNG by libpng.
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include <png.h>

#include "core/error.h"
#include "image/colour_profile.h"
#include "image/exif.h"
#include "image/formats.h"
#include "image/png_chunks.h"

namespace torsor::formats {

namespace {

constexpr std::size_t kMessageSize = 200;

// libpng's errors jump back into run_guarded; what lies between holds no objects with destructors.
void on_error(png_structp png, png_const_charp message) {
  auto* kept = static_cast<char*>(png_get_error_ptr(png));
  std::snprintf(kept, kMessageSize, "%s", message);
  png_longjmp(png, 1);
}

// Of writing; and of reading where nobody listens.
void drop_warning(png_structp, png_const_charp) {}

// What libpng only warns of costs no pixels: those of damaged IDAT chunks are errors. It may be said for each
// of many chunks, and must not throw.
struct Messages {
  char error[kMessageSize] = "";
  char first_warning[kMessageSize] = "";
  bool lost_transparency = false;
};

void on_read_error(png_structp png, png_const_charp message) {
  std::snprintf(static_cast<Messages*>(png_get_error_ptr(png))->error, kMessageSize, "%s", message);
  png_longjmp(png, 1);
}

void on_read_warning(png_structp png, png_const_charp message) {
  auto* messages = static_cast<Messages*>(png_get_error_ptr(png));
  if (std::strstr(message, "tRNS") != nullptr && std::strstr(message, "CRC") != nullptr)
    messages->lost_transparency = true;
  if (messages->first_warning[0] == '\0') std::snprintf(messages->first_warning, kMessageSize, "%s", message);
}

template <class Step>
bool run_guarded(png_structp png, const Step& step) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  step();
  return true;
}

constexpr std::size_t kWidthAt = 16;  // in IHDR, which comes first

void read_bytes(png_structp png, png_bytep out, std::size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->bytes.size() - source->at) {
    source->at = source->bytes.size();
    png_error(png, "the file ends too early");
  }
  std::memcpy(out, source->bytes.data() + source->at, size);
  source->at += size;
}

class Reader {
 public:
  explicit Reader(Source& source) : source_(source) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &messages_, on_read_error, on_read_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      fail("{}: not enough memory to read this PNG", source_.name);
    }
    png_set_read_fn(png_, &source_, read_bytes);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void read_header() {
    guard([&] {
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size has the say
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
      // Texts unpack to megabytes each, and nobody here reads them; profiles are read by png_profile().
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_read_info(png_, info_);
    });
    check_size(source_, claim());  // libpng takes memory for rows in the next step
    guard([&] {
      passes_ = png_set_interlace_handling(png_);
      png_set_expand(png_);  // palettes and fewer than 8 bits to 8 bits, a transparent colour to alpha
      if (png_get_bit_depth(png_, info_) == 16 && is_little_endian()) png_set_swap(png_);
      png_read_update_info(png_, info_);
    });
    check_size(source_, claim());
  }

  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::int64_t channels() const { return png_get_channels(png_, info_); }
  PixelType type() const { return png_get_bit_depth(png_, info_) == 16 ? PixelType::u16 : PixelType::u8; }

  Image read_pixels() {
    Image image = blank_checked(source_, claim());
    const std::size_t row_size = image.bytes.size() / static_cast<std::size_t>(image.height);
    guard([&] {
      for (int pass = 0; pass < passes_; ++pass)
        for (std::size_t start = 0; start < image.bytes.size(); start += row_size)
          png_read_row(png_, image.bytes.data() + start, nullptr);
    });
    read_rest();
    apply_profile(source_, png_profile(source_.bytes), colours_by_number(image), image);
    return image;
  }

 private:
  Claim claim() const { return {kWidthAt, width(), height(), channels(), type()}; }

  static bool is_little_endian() {
    const std::uint16_t one = 1;
    std::uint8_t first;
    std::memcpy(&first, &one, 1);
    return first == 1;
  }

  template <class Step>
  void guard(const Step& step) {
    const bool ok = run_guarded(png_, step);
    if (!ok && std::strstr(messages_.error, "CgBI") != nullptr)
      fail_unsupported(source_, "a PNG of Apple's own kind (CgBI)", "save it as an ordinary PNG");
    if (!ok) fail_damaged(source_, "PNG", messages_.error);
    if (messages_.lost_transparency) fail_damaged(source_, "PNG", "the CRC of its transparency is wrong");
  }

  // All pixels are there and their checksum is right, so that nothing behind them can cost any.
  void read_rest() {
    const bool whole = run_guarded(png_, [&] { png_read_end(png_, nullptr); });
    if (!whole)
      add_note(source_, source_.at == source_.bytes.size()
                            ? "the file ends behind its pixels without an end mark (IEND)"
                            : fmt::format("what follows the pixels is not valid ({})", messages_.error));
    if (messages_.first_warning[0] != '\0')
      add_note(source_, fmt::format("libpng: {}", messages_.first_warning));
    if (whole && source_.at < source_.bytes.size())
      add_note(source_,
               fmt::format("{} bytes behind the picture are not read", source_.bytes.size() - source_.at));
    note_png_chunks(source_);
  }

  Source& source_;
  Messages messages_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
};

void append_bytes(png_structp png, png_bytep data, std::size_t size) {
  try {
    static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(data), size);
    return;
  } catch (const std::bad_alloc&) {
  }
  png_error(png, "not enough memory");
}

void no_flush(png_structp) {}

class Writer {
 public:
  explicit Writer(const std::string& name) : name_(name) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, message_, on_error, drop_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_write_struct(&png_, nullptr);
      fail("{}: not enough memory to write this PNG", name_);
    }
    png_set_write_fn(png_, &out_, append_bytes, no_flush);
  }
  ~Writer() { png_destroy_write_struct(&png_, &info_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::string write(const Image& image) {
    static constexpr int kColours[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                       PNG_COLOR_TYPE_RGB_ALPHA};
    const std::size_t samples = static_cast<std::size_t>(image.width * image.channels);
    const int depth = image.type == PixelType::u16 ? 16 : 8;
    std::vector<std::uint8_t> row(samples * static_cast<std::size_t>(depth / 8));
    const bool ok = run_guarded(png_, [&] {
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
                   depth, kColours[image.channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                   PNG_FILTER_TYPE_DEFAULT);
      if (image.profile != nullptr) set_profile(*image.profile);
      png_write_info(png_, info_);
      for (std::size_t start = 0; start < image.bytes.size(); start += row.size()) {
        fill_row(image, start, samples, row.data());
        png_write_row(png_, row.data());
      }
      png_write_end(png_, nullptr);
    });
    if (!ok) fail("{}: cannot be written as PNG: {}", name_, message_);
    return std::move(out_);
  }

 private:
  // Of sRGB's, one chunk says as much in a byte.
  void set_profile(const std::string& profile) {
    if (profile == *srgb_profile(ColourSpace::rgb) || profile == *srgb_profile(ColourSpace::grey)) {
      png_set_sRGB(png_, info_, PNG_sRGB_INTENT_RELATIVE);
      return;
    }
    png_set_iCCP(png_, info_, "ICC profile", PNG_COMPRESSION_TYPE_BASE,
                 reinterpret_cast<png_const_bytep>(profile.data()), static_cast<png_uint_32>(profile.size()));
    if (png_get_valid(png_, info_, PNG_INFO_iCCP) == 0) png_error(png_, "its ICC profile is not valid there");
  }

  // PNG stores 16-bit samples big-endian.
  static void fill_row(const Image& image, std::size_t start, std::size_t samples, std::uint8_t* row) {
    if (image.type == PixelType::u8) {
      std::memcpy(row, image.bytes.data() + start, samples);
      return;
    }
    const std::uint16_t* in = image.u16() + start / 2;
    for (std::size_t i = 0; i < samples; ++i) {
      row[2 * i] = static_cast<std::uint8_t>(in[i] >> 8);
      row[2 * i + 1] = static_cast<std::uint8_t>(in[i] & 0xFF);
    }
  }

  const std::string& name_;
  std::string out_;
  char message_[kMessageSize] = "";
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Header png_header(Source& source) {
  Reader reader(source);
  reader.read_header();
  return {{reader.width(), reader.height(), reader.channels(), reader.type()},
          exif_orientation(find_png_exif(source.bytes))};
}

Decoded decode_png(Source& source) {
  Reader reader(source);
  reader.read_header();
  return {reader.read_pixels(), exif_orientation(find_png_exif(source.bytes))};
}

std::string encode_png(const Image& image, const std::string& name, const EncodeOptions&) {
  return Writer(name).write(image);
}

}  // namespace torsor::formats
