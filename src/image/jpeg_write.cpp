// JPEG by libjpeg-turbo.
#include <new>
#include <vector>

#include "core/error.h"
#include "image/formats.h"
#include "image/jpeg_guard.h"

#include <jerror.h>

namespace torsor::formats {

namespace {

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
      if (image.profile != nullptr)
        jpeg_write_icc_profile(&info_, reinterpret_cast<const JOCTET*>(image.profile->data()),
                               static_cast<unsigned>(image.profile->size()));
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
  JpegFailure failure_{};
};

}  // namespace

std::string encode_jpeg(const Image& image, const std::string& name, const EncodeOptions& options) {
  return Compressor(name).compress(image, options.jpeg_quality);
}

}  // namespace torsor::formats
