// WebP by libwebp.
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "image/colour_profile.h"
#include "image/convert.h"
#include "image/exif.h"
#include "image/formats.h"

namespace torsor::formats {

namespace {

const std::uint8_t* data_of(const Source& source) {
  return reinterpret_cast<const std::uint8_t*>(source.bytes.data());
}

std::string_view reason_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "not enough memory";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that libwebp does not know";
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the file ends too early";
    default:
      return "the data are not valid";
  }
}

constexpr std::size_t kFirstChunk = 12;  // behind "RIFF", the size and "WEBP"

std::size_t number_at(const Source& source, std::size_t at) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4 && at + i < source.bytes.size(); ++i)
    value |= std::size_t{static_cast<std::uint8_t>(source.bytes[at + i])} << (8 * i);
  return value;
}

// libwebp does not say where it failed: where the picture's data begin, or end when there are too few.
std::size_t place_of_failure(const Source& source, VP8StatusCode status) {
  const bool ended = status == VP8_STATUS_SUSPENDED || status == VP8_STATUS_NOT_ENOUGH_DATA;
  std::size_t at = kFirstChunk;
  while (at + 8 <= source.bytes.size()) {
    const std::string_view kind = source.bytes.substr(at, 4);
    const std::size_t end = at + 8 + number_at(source, at + 4);
    if (kind == "VP8 " || kind == "VP8L") return ended ? end : at;
    if (end > source.bytes.size()) return at;
    at = end + end % 2;
  }
  return ended ? source.bytes.size() : at;
}

[[noreturn]] void fail_decoding(Source& source, VP8StatusCode status) {
  source.at = place_of_failure(source, status);
  fail_damaged(source, "WebP", reason_of(status));
}

std::size_t announced_size(const Source& source) { return 8 + number_at(source, 4); }

// Where the chunk of the pixels ends; beyond the file when it is not there or not whole.
std::size_t pixels_end(const Source& source) {
  std::size_t at = kFirstChunk;
  while (at + 8 <= source.bytes.size()) {
    const std::string_view kind = source.bytes.substr(at, 4);
    const std::size_t size = number_at(source, at + 4);
    at += 8 + size;
    if (kind == "VP8 " || kind == "VP8L") return at;
    at += size % 2;
  }
  return source.bytes.size() + 1;
}

// libwebp refuses a file whose last chunks are missing, though those behind the pixels cost none of them: the
// file without them then, or "" when it is whole.
std::string without_torn_end(Source& source) {
  if (announced_size(source) <= source.bytes.size()) return "";
  if (pixels_end(source) > source.bytes.size()) {
    source.at = source.bytes.size();
    fail_damaged(
        source, "WebP",
        fmt::format("{} bytes, the header announces {}", source.bytes.size(), announced_size(source)));
  }
  std::string bytes(source.bytes.substr(0, pixels_end(source)));
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<char>((bytes.size() - 8) >> (8 * i));
  return bytes;
}

Claim claim_of(const WebPBitstreamFeatures& features) {
  return {kFirstChunk, features.width, features.height, features.has_alpha ? 4 : 3};
}

WebPBitstreamFeatures read_features(Source& source) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data_of(source), source.bytes.size(), &features);
  if (status != VP8_STATUS_OK) fail_decoding(source, status);
  source.at = kFirstChunk;
  // libwebp unpacks lossless pictures, and alpha beside lossy ones, into 4 bytes a pixel; an animation is put
  // together on two canvases besides.
  const std::uint64_t pixels = std::uint64_t(features.width) * std::uint64_t(features.height);
  check_size(source, claim_of(features), (features.has_animation ? 12 : 4) * pixels);
  return features;
}

struct DeleteDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

// The first frame of an animation on its canvas.
Image decode_first_frame(Source& source, const WebPBitstreamFeatures& features) {
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  const WebPData data{data_of(source), source.bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, DeleteDecoder> decoder(WebPAnimDecoderNew(&data, &options));
  WebPAnimInfo info;
  std::uint8_t* canvas = nullptr;
  int time = 0;
  if (decoder == nullptr || !WebPAnimDecoderGetInfo(decoder.get(), &info) ||
      info.canvas_width != static_cast<std::uint32_t>(features.width) ||
      info.canvas_height != static_cast<std::uint32_t>(features.height) ||
      !WebPAnimDecoderGetNext(decoder.get(), &canvas, &time))
    fail_damaged(source, "WebP", "the frames of its animation are not valid");
  Image image = blank_checked(source, claim_of(features));
  const std::int64_t pixels = image.width * image.height;
  for (std::int64_t i = 0; i < pixels; ++i)
    std::copy_n(canvas + 4 * i, image.channels, image.u8() + i * image.channels);
  if (info.frame_count > 1)
    add_note(source,
             fmt::format("an animation of {} frames, of which the first alone is read", info.frame_count));
  return image;
}

std::string_view find_chunk(const Source& source, std::string_view kind) {
  std::size_t at = kFirstChunk;
  while (at + 8 <= source.bytes.size()) {
    const std::size_t size = number_at(source, at + 4);
    if (source.bytes.substr(at, 4) == kind) return source.bytes.substr(at + 8, size);
    at += 8 + size + size % 2;
  }
  return {};
}

void add_notes(const Source& source) {
  const std::size_t announced = announced_size(source), there = source.bytes.size();
  if (announced > there) add_note(source, "the file ends within what follows the pixels");
  if (announced + announced % 2 < there)
    add_note(source, fmt::format("{} bytes behind the picture are not read", there - announced));
}

int orientation_of(const Source& source) { return exif_orientation(find_webp_exif(source.bytes)); }

Image decode_still(Source& source, const WebPBitstreamFeatures& features) {
  Image image = blank_checked(source, claim_of(features));
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  config.output.colorspace = features.has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.u8();
  config.output.u.RGBA.stride = static_cast<int>(image.width * image.channels);
  config.output.u.RGBA.size = image.bytes.size();
  const VP8StatusCode status = WebPDecode(data_of(source), source.bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) fail_decoding(source, status);
  return image;
}

struct FreePicture {
  void operator()(WebPPicture* picture) const { WebPPictureFree(picture); }
};
struct FreeWriter {
  void operator()(WebPMemoryWriter* writer) const { WebPMemoryWriterClear(writer); }
};

struct DeleteMux {
  void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
};

std::string with_profile(const WebPData& encoded, const std::string& profile, const std::string& name) {
  enum Copied { no, yes };
  const WebPData icc{reinterpret_cast<const std::uint8_t*>(profile.data()), profile.size()};
  const std::unique_ptr<WebPMux, DeleteMux> mux(WebPMuxCreate(&encoded, Copied::no));
  WebPData whole{nullptr, 0};
  if (mux == nullptr || WebPMuxSetChunk(mux.get(), "ICCP", &icc, Copied::no) != WEBP_MUX_OK ||
      WebPMuxAssemble(mux.get(), &whole) != WEBP_MUX_OK)
    fail("{}: its ICC profile cannot be written as WebP; write another format", name);
  const std::string out(reinterpret_cast<const char*>(whole.bytes), whole.size);
  WebPDataClear(&whole);
  return out;
}

WebPConfig make_config(int quality) {
  constexpr int kLosslessLevel = 6;  // of 0 (fast) .. 9 (small)
  WebPConfig config;
  WebPConfigInit(&config);
  if (quality == 100)
    WebPConfigLosslessPreset(&config, kLosslessLevel);
  else
    config.quality = static_cast<float>(quality);
  config.exact = 1;  // keep the colours under transparent pixels
  return config;
}

}  // namespace

Header webp_header(Source& source) {
  const std::string repaired = without_torn_end(source);
  Source whole{repaired.empty() ? source.bytes : repaired, source.name};
  const Claim claim = claim_of(read_features(whole));
  return {{claim.width, claim.height, claim.channels, claim.type}, orientation_of(source)};
}

Decoded decode_webp(Source& source) {
  const std::string repaired = without_torn_end(source);
  Source whole{repaired.empty() ? source.bytes : repaired, source.name};
  whole.notes = source.notes;
  whole.colours = source.colours;
  const WebPBitstreamFeatures features = read_features(whole);
  Image image = features.has_animation ? decode_first_frame(whole, features) : decode_still(whole, features);
  add_notes(source);
  apply_profile(source, find_chunk(source, "ICCP"), ColourSpace::rgb, image);
  return {std::move(image), orientation_of(source)};
}

std::string encode_webp(const Image& image, const std::string& name, const EncodeOptions& options) {
  if (image.width > WEBP_MAX_DIMENSION || image.height > WEBP_MAX_DIMENSION)
    fail("{}: {} x {} pixels are too many for WebP, which holds at most {} a side; write another format",
         name, image.width, image.height, WEBP_MAX_DIMENSION);
  if (image.channels == 1) return encode_webp(with_channels(image, 3), name, options);
  const WebPConfig config = make_config(options.webp_quality);
  WebPPicture picture;
  WebPPictureInit(&picture);
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  const std::unique_ptr<WebPPicture, FreePicture> picture_owner(&picture);
  const std::unique_ptr<WebPMemoryWriter, FreeWriter> writer_owner(&writer);
  picture.use_argb = config.lossless;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const int stride = static_cast<int>(image.width * image.channels);
  const bool imported = image.channels == 4 ? WebPPictureImportRGBA(&picture, image.u8(), stride)
                                            : WebPPictureImportRGB(&picture, image.u8(), stride);
  if (!imported || !WebPEncode(&config, &picture))
    fail("{}: cannot be written as WebP (libwebp's error {}); write another format", name,
         static_cast<int>(picture.error_code));
  const WebPData encoded{writer.mem, writer.size};
  if (image.profile != nullptr) return with_profile(encoded, *image.profile, name);
  return std::string(reinterpret_cast<const char*>(encoded.bytes), encoded.size);
}

}  // namespace torsor::formats
