// JPEG by libjpeg-turbo.
#include <algorithm>
#include <vector>

#include "core/error.h"
#include "image/colour_profile.h"
#include "image/exif.h"
#include "image/formats.h"
#include "image/jpeg_guard.h"
#include "image/jpeg_scans.h"
#include "image/jpeg_segments.h"

#include <jerror.h>

namespace torsor::formats {

namespace {

// Each of a file's scans passes over the whole picture, however few bytes it has.
struct ScanWatch {
  jpeg_progress_mgr manager;  // first: libjpeg knows only this part
  int most_scans;
};

void check_scans(j_common_ptr info) {
  const auto* watch = reinterpret_cast<const ScanWatch*>(info->progress);
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= watch->most_scans) return;
  auto* failure = reinterpret_cast<JpegFailure*>(info->err);
  std::snprintf(failure->message, sizeof failure->message,
                "more than %d scans, too many for a picture of this size in a file of this length",
                watch->most_scans);
  std::longjmp(failure->jump, 1);
}

// Where the frame header stands, which holds the size; libjpeg, which has read it by then, does not say.
std::size_t frame_header_at(std::string_view file) {
  std::size_t at = kFirstJpegSegment;
  while (const auto segment = next_jpeg_segment(file, at)) {
    if (is_jpeg_frame(segment->marker)) return segment->at;
    if (segment->marker == kJpegScan) break;
  }
  return 0;
}

std::string kind_of_frame(int marker) {
  switch (marker) {
    case 0xC3:
    case 0xCB:
      return "a lossless JPEG";
    case 0xC5:
    case 0xC6:
    case 0xC7:
    case 0xCD:
    case 0xCE:
    case 0xCF:
    case 0xDE:
      return "a hierarchical JPEG";
    case 0xF7:
      return "a JPEG-LS";
    default:
      return "";
  }
}

// What an error of libjpeg says of a file that is whole but of a kind that it does not read; "" when it says
// something else.
std::string unsupported_kind(const JpegFailure& failure) {
  const int first = failure.manager.msg_parm.i[0];
  switch (failure.manager.msg_code) {
    case JERR_BAD_PRECISION:
      return first == 12 || first == 16 ? fmt::format("a {}-bit JPEG", first) : "";
    case JERR_SOF_UNSUPPORTED:
    case JERR_UNKNOWN_MARKER:
      return kind_of_frame(first);
    case JERR_ARITH_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
      return fmt::format("a JPEG of this kind ({})", failure.message);
    default:
      return "";
  }
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
    const std::string profile = jpeg_profile(source_.bytes);
    const auto inks = is_cmyk() ? ink_profile(source_, profile) : nullptr;
    const ColourTransform* by_profile =
        inks == nullptr ? nullptr : inks->transform(ColourWay::to_srgb, PixelType::u8);
    std::vector<std::uint8_t> cmyk(is_cmyk() ? static_cast<std::size_t>(width()) * 4 : 0);
    const std::size_t row_size = static_cast<std::size_t>(width() * channels());
    guard([&] {
      info_.out_color_space = is_cmyk() ? JCS_CMYK : channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
      failure_.in_scans = true;
      jpeg_start_decompress(&info_);
      while (info_.output_scanline < info_.output_height) {
        std::uint8_t* row = image.u8() + info_.output_scanline * row_size;
        JSAMPROW target = is_cmyk() ? cmyk.data() : row;
        jpeg_read_scanlines(&info_, &target, 1);
        if (is_cmyk()) cmyk_to_rgb(by_profile, cmyk.data(), row);
      }
    });
    check_scans_present();  // finishing forgets what was there
    guard([&] { jpeg_finish_decompress(&info_); });
    check_left_over();
    add_notes();
    if (inks != nullptr) image.profile = inks->bytes();
    if (!is_cmyk()) apply_profile(source_, profile, colours_by_number(image), image);
    return image;
  }

 private:
  template <class Step>
  void guard(const Step& step) {
    if (run_guarded(failure_, step)) return;
    const bool ended =
        failure_.defects.ended || failure_.manager.msg_code == JWRN_JPEG_EOF || info_.src == nullptr;
    source_.at = source_.bytes.size() - (ended ? 0 : info_.src->bytes_in_buffer);
    if (const std::string kind = unsupported_kind(failure_); !kind.empty())
      fail_unsupported(source_, kind, "save it as an ordinary JPEG of 8 bits, as PNG or as TIFF");
    fail_damaged(source_, "JPEG", failure_.message);
  }

  [[noreturn]] void fail_at_end(std::string_view reason) {
    source_.at = source_.bytes.size();
    fail_damaged(source_, "JPEG", reason);
  }

  // A file may end where a scan does, and the next ones, which hold other colours or finer detail, are lost.
  void check_scans_present() {
    for (int c = 0; c < info_.num_components; ++c)
      if (info_.comp_info[c].quant_table == nullptr)
        fail_at_end(fmt::format("the scan of colour component {} is missing", c + 1));
    if (info_.progressive_mode && !all_bits_known()) {
      if (failure_.defects.ended) fail_at_end("the file ends before its last scan");
      add_note(source_, "its scans stop before the finest detail");
    }
    // Its decoder takes whatever it gets, and zeros where nothing is left.
    if (info_.arith_code && failure_.defects.ended) fail_at_end("Premature end of JPEG file");
  }

  bool all_bits_known() const {
    for (int c = 0; c < info_.num_components; ++c)
      if (!std::all_of(info_.coef_bits[c], info_.coef_bits[c] + DCTSIZE2, [](int bits) { return bits == 0; }))
        return false;
    return true;
  }

  // Bytes between a scan and the next mark are of no account, or what a scan that lost its step left.
  void check_left_over() {
    if (!failure_.defects.left_over) return;
    const JpegScans scans = check_jpeg_scans(source_.bytes);
    if (scans.fault.empty()) {
      failure_.defects.skipped = scans.skipped;  // libjpeg does not count those that it had in hand
      return;
    }
    source_.at = scans.fault_at;
    fail_damaged(source_, "JPEG", scans.fault);
  }

  void add_notes() const {
    if (source_.notes == nullptr) return;
    const JpegDefects& defects = failure_.defects;
    if (defects.revision) add_note(source_, "an unknown revision of JFIF");
    if (defects.transform)
      add_note(source_, "an unknown Adobe colour transform, taken for the usual one (YCbCr, or YCCK)");
    if (defects.parameters) add_note(source_, "odd parameters of a scan, which has no use for them");
    if (defects.skipped > 0)
      add_note(source_, fmt::format("{} extraneous bytes before a marker were skipped", defects.skipped));
    if (defects.ended) add_note(source_, "the end mark is missing");
    note_what_follows();
  }

  void note_what_follows() const {
    const std::string_view index = find_jpeg_segment(source_.bytes, 0xE2, {"MPF\0", 4});
    const std::uint32_t pictures = index.empty() ? 0 : exif_number(index.substr(4), 0xB001);
    const std::size_t rest = failure_.defects.ended ? 0 : info_.src->bytes_in_buffer;
    if (pictures > 1 && pictures < 100)
      add_note(source_, fmt::format("{} pictures in one file (MPO), of which the first is read", pictures));
    else if (rest > 0)
      add_note(source_, fmt::format("{} bytes behind the picture are not read", rest));
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

  // Files hold CMYK inverted (255 = no ink), as Adobe began; so without a profile the product of two samples
  // is the light left.
  void cmyk_to_rgb(const ColourTransform* by_profile, std::uint8_t* cmyk, std::uint8_t* rgb) const {
    if (by_profile != nullptr) {
      std::transform(cmyk, cmyk + 4 * width(), cmyk,
                     [](int light) { return static_cast<std::uint8_t>(255 - light); });
      by_profile->apply(cmyk, rgb, width());
      return;
    }
    for (std::int64_t x = 0; x < width(); ++x, cmyk += 4, rgb += 3)
      for (int c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>((cmyk[c] * cmyk[3] + 127) / 255);
  }

  Source& source_;
  jpeg_decompress_struct info_{};
  ScanWatch watch_{};
  JpegFailure failure_{};
};

std::string_view jpeg_exif(std::string_view file) { return find_jpeg_segment(file, 0xE1, kExifPrefix); }

}  // namespace

Header jpeg_header(Source& source) {
  Decompressor reader(source);
  reader.read_header();
  return {{reader.width(), reader.height(), reader.channels(), PixelType::u8},
          exif_orientation(jpeg_exif(source.bytes))};
}

Decoded decode_jpeg(Source& source) {
  Decompressor reader(source);
  reader.read_header();
  return {reader.read_pixels(), exif_orientation(jpeg_exif(source.bytes))};
}

}  // namespace torsor::formats
