// JPEG by libjpeg-turbo.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <new>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include "core/error.h"
#include "image/exif.h"
#include "image/formats.h"

namespace torsor::formats {

namespace {

// libjpeg reports through callbacks that must not return and must not throw through C code, so they jump back
// into run_guarded; what lies between holds no objects with destructors.
struct Failure {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  info->err->format_message(info, failure->message);
  std::longjmp(failure->jump, 1);
}

// Level -1 is a warning: libjpeg fills up what a damaged file lacks with grey. A wrong JFIF version is
// harmless.
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code != JWRN_JFIF_MAJOR) on_error(info);
}

void drop_message(j_common_ptr) {}

jpeg_error_mgr* install(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
  failure.manager.output_message = drop_message;
  failure.message[0] = '\0';
  return &failure.manager;
}

// False when libjpeg failed within `step`; the message is then in `failure`.
template <class Step>
bool run_guarded(Failure& failure, const Step& step) {
  if (setjmp(failure.jump) != 0) return false;
  step();
  return true;
}

// Each of a file's scans passes over the whole picture, however few bytes it has.
struct ScanWatch {
  jpeg_progress_mgr manager;  // first: libjpeg knows only this part
  int most_scans;
};

void check_scans(j_common_ptr info) {
  const auto* watch = reinterpret_cast<const ScanWatch*>(info->progress);
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= watch->most_scans) return;
  auto* failure = reinterpret_cast<Failure*>(info->err);
  std::snprintf(failure->message, sizeof failure->message,
                "more than %d scans, too many for a picture of this size in a file of this length",
                watch->most_scans);
  std::longjmp(failure->jump, 1);
}

// Where the frame header stands, which holds the size; libjpeg, which has read it by then, does not say.
std::size_t frame_header_at(std::string_view file) {
  const auto byte = [&](std::size_t at) {
    return at < file.size() ? static_cast<std::uint8_t>(file[at]) : std::size_t{0};
  };
  std::size_t at = 2;
  while (byte(at) == 0xFF) {
    const std::size_t marker = byte(at + 1);
    // C4, C8 and CC are tables and an extension among the sixteen.
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) return at;
    at += marker == 0xFF ? 1 : 2 + byte(at + 2) * 256 + byte(at + 3);  // FF FF: a fill byte
  }
  return 0;
}

class Decompressor {
 public:
  explicit Decompressor(Source& source) : source_(source) {
    info_.err = install(failure_);
    guard([&] { jpeg_create_decompress(&info_); });
  }
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  void read_header() {
    guard([&] {
      jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(source_.bytes.data()),
                   source_.bytes.size());
      jpeg_read_header(&info_, TRUE);
    });
    source_.at = frame_header_at(source_.bytes);
    if (info_.num_components == 2 || info_.num_components > 4)
      fail_unsupported(source_, "a JPEG of this number of colour components", "convert the file to RGB");
    const bool keeps_coefficients = jpeg_has_multiple_scans(&info_);
    check_size(source_, claim(is_cmyk() ? 4 : channels()),
               keeps_coefficients ? blocks() * DCTSIZE2 * sizeof(JCOEF) : 0);
    if (keeps_coefficients) watch_scans();
  }

  std::int64_t width() const { return info_.image_width; }
  std::int64_t height() const { return info_.image_height; }
  std::int64_t channels() const { return info_.num_components == 1 ? 1 : 3; }
  bool is_cmyk() const { return info_.num_components == 4; }  // or YCCK, which libjpeg turns into CMYK

  Image read_pixels() {
    Image image = blank_checked(source_, claim(channels()));
    std::vector<std::uint8_t> cmyk(is_cmyk() ? static_cast<std::size_t>(width()) * 4 : 0);
    const std::size_t row_size = static_cast<std::size_t>(width() * channels());
    guard([&] {
      info_.out_color_space = is_cmyk() ? JCS_CMYK : channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
      jpeg_start_decompress(&info_);
      while (info_.output_scanline < info_.output_height) {
        std::uint8_t* row = image.u8() + info_.output_scanline * row_size;
        JSAMPROW target = is_cmyk() ? cmyk.data() : row;
        jpeg_read_scanlines(&info_, &target, 1);
        if (is_cmyk()) cmyk_to_rgb(cmyk.data(), row);
      }
      jpeg_finish_decompress(&info_);
    });
    return image;
  }

 private:
  template <class Step>
  void guard(const Step& step) {
    if (run_guarded(failure_, step)) return;
    const bool ended = failure_.manager.msg_code == JWRN_JPEG_EOF || info_.src == nullptr;
    source_.at = source_.bytes.size() - (ended ? 0 : info_.src->bytes_in_buffer);
    fail_damaged(source_, "JPEG", failure_.message);
  }

  Claim claim(std::int64_t channels) const {
    return {source_.at, width(), height(), channels, PixelType::u8};
  }

  // Blocks of 8 x 8 samples, as many as libjpeg keeps for a picture of more than one scan.
  std::uint64_t blocks() const {
    const auto padded = [](std::uint64_t count, int step) {
      const auto s = static_cast<std::uint64_t>(step);
      return (count + s - 1) / s * s;
    };
    std::uint64_t sum = 0;
    for (int c = 0; c < info_.num_components; ++c) {
      const jpeg_component_info& component = info_.comp_info[c];
      sum += padded(component.width_in_blocks, component.h_samp_factor) *
             padded(component.height_in_blocks, component.v_samp_factor);
    }
    return sum;
  }

  void watch_scans() {
    watch_.most_scans = most_scans();
    watch_.manager.progress_monitor = check_scans;
    info_.progress = &watch_.manager;
  }

  // Programs write about ten scans, and Huffman codes take a bit or two for each block, so these limits leave
  // room for every real picture.
  int most_scans() const {
    constexpr std::uint64_t kMost = 500, kFreeBlocks = 1 << 24, kBlocksPerByte = 64;
    return static_cast<int>(
        std::min(kMost, (kFreeBlocks + kBlocksPerByte * source_.bytes.size()) / blocks()));
  }

  // Files hold CMYK inverted (255 = no ink), as Adobe began; so the product of two samples is the light left.
  void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb) const {
    for (std::int64_t x = 0; x < width(); ++x, cmyk += 4, rgb += 3)
      for (int c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>((cmyk[c] * cmyk[3] + 127) / 255);
  }

  Source& source_;
  jpeg_decompress_struct info_{};
  ScanWatch watch_{};
  Failure failure_{};
};

constexpr std::size_t kChunk = 1 << 16;

struct StringDestination {
  jpeg_destination_mgr manager;  // first: libjpeg knows only this part
  std::string* out;
  JOCTET* buffer;
};

void start_chunk(j_compress_ptr info) {
  auto* to = reinterpret_cast<StringDestination*>(info->dest);
  to->manager.next_output_byte = to->buffer;
  to->manager.free_in_buffer = kChunk;
}

void append(j_compress_ptr info, std::size_t size) {
  auto* to = reinterpret_cast<StringDestination*>(info->dest);
  try {
    to->out->append(reinterpret_cast<const char*>(to->buffer), size);
    return;
  } catch (const std::bad_alloc&) {
  }
  ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
}

boolean finish_chunk(j_compress_ptr info) {
  append(info, kChunk);
  start_chunk(info);
  return TRUE;
}

void finish_output(j_compress_ptr info) { append(info, kChunk - info->dest->free_in_buffer); }

class Compressor {
 public:
  explicit Compressor(const std::string& name) : name_(name), buffer_(kChunk) {
    info_.err = install(failure_);
    guard([&] { jpeg_create_compress(&info_); });
    destination_.manager.init_destination = start_chunk;
    destination_.manager.empty_output_buffer = finish_chunk;
    destination_.manager.term_destination = finish_output;
    destination_.out = &out_;
    destination_.buffer = buffer_.data();
    info_.dest = &destination_.manager;
  }
  ~Compressor() { jpeg_destroy_compress(&info_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  std::string compress(const Image& image, int quality) {
    guard([&] {
      set_parameters(image, quality);
      jpeg_start_compress(&info_, TRUE);
      const std::size_t row_size = static_cast<std::size_t>(image.width * image.channels);
      while (info_.next_scanline < info_.image_height) {
        JSAMPROW row = const_cast<JSAMPROW>(image.u8() + info_.next_scanline * row_size);
        jpeg_write_scanlines(&info_, &row, 1);
      }
      jpeg_finish_compress(&info_);
    });
    return std::move(out_);
  }

 private:
  template <class Step>
  void guard(const Step& step) {
    if (!run_guarded(failure_, step)) fail("{}: cannot be written as JPEG: {}", name_, failure_.message);
  }

  void set_parameters(const Image& image, int quality) {
    info_.image_width = static_cast<JDIMENSION>(image.width);
    info_.image_height = static_cast<JDIMENSION>(image.height);
    info_.input_components = static_cast<int>(image.channels);
    info_.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    // Who asks for this quality does not want every second colour sample dropped, libjpeg's default.
    if (quality >= 90) info_.comp_info[0].h_samp_factor = info_.comp_info[0].v_samp_factor = 1;
  }

  const std::string& name_;
  std::string out_;
  std::vector<JOCTET> buffer_;
  jpeg_compress_struct info_{};
  StringDestination destination_{};
  Failure failure_{};
};

}  // namespace

Header jpeg_header(Source& source) {
  Decompressor reader(source);
  reader.read_header();
  return {{reader.width(), reader.height(), reader.channels(), PixelType::u8},
          exif_orientation(find_jpeg_exif(source.bytes))};
}

Decoded decode_jpeg(Source& source) {
  Decompressor reader(source);
  reader.read_header();
  return {reader.read_pixels(), exif_orientation(find_jpeg_exif(source.bytes))};
}

std::string encode_jpeg(const Image& image, const std::string& name, const EncodeOptions& options) {
  return Compressor(name).compress(image, options.jpeg_quality);
}

}  // namespace torsor::formats
