// WebP by libwebp.
#include <webp/decode.h>
#include <webp/encode.h>

#include <memory>

#include "core/error.h"
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

// libwebp decodes a file whose last chunks are missing as long as the pixels are there.
void check_whole(const Source& source) {
  std::uint64_t claimed = 8;
  for (std::size_t i = 0; i < 4 && 4 + i < source.bytes.size(); ++i)
    claimed += std::uint64_t{static_cast<std::uint8_t>(source.bytes[4 + i])} << (8 * i);
  if (claimed > source.bytes.size())
    fail_damaged(source, "WebP",
                 fmt::format("{} bytes, the header announces {}", source.bytes.size(), claimed));
}

WebPBitstreamFeatures read_features(const Source& source) {
  check_whole(source);
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data_of(source), source.bytes.size(), &features);
  if (status != VP8_STATUS_OK) fail_damaged(source, "WebP", reason_of(status));
  if (features.has_animation)
    fail_unsupported(source, "an animated WebP", "save the frames as single pictures, or remove the file");
  check_size(source, features.width, features.height, features.has_alpha ? 4 : 3);
  return features;
}

int orientation_of(const Source& source) { return exif_orientation(find_webp_exif(source.bytes)); }

struct FreePicture {
  void operator()(WebPPicture* picture) const { WebPPictureFree(picture); }
};
struct FreeWriter {
  void operator()(WebPMemoryWriter* writer) const { WebPMemoryWriterClear(writer); }
};

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

Header webp_header(const Source& source) {
  const WebPBitstreamFeatures features = read_features(source);
  return {{features.width, features.height, features.has_alpha ? 4 : 3, PixelType::u8},
          orientation_of(source)};
}

Decoded decode_webp(const Source& source) {
  const WebPBitstreamFeatures features = read_features(source);
  Image image =
      blank_checked(source, features.width, features.height, features.has_alpha ? 4 : 3, PixelType::u8);
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  config.output.colorspace = features.has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.u8();
  config.output.u.RGBA.stride = static_cast<int>(image.width * image.channels);
  config.output.u.RGBA.size = image.bytes.size();
  const VP8StatusCode status = WebPDecode(data_of(source), source.bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) fail_damaged(source, "WebP", reason_of(status));
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
  return std::string(reinterpret_cast<const char*>(writer.mem), writer.size);
}

}  // namespace torsor::formats
