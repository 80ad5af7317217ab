// What every file format gives to the codec. Internal to this layer.
#pragma once

#include <string>
#include <string_view>

#include "image/codec.h"
#include "image/image.h"

namespace torsor::formats {

/// The bytes of one encoded image and the name to use in messages.
struct Source {
  std::string_view bytes;
  const std::string& name;
};

/// What a header tells, as stored: before the orientation is applied.
struct Header {
  ImageInfo info;
  int orientation = 1;  // EXIF: 1..8
};

struct Decoded {
  Image image;
  int orientation = 1;
};

/// "<name>: damaged or truncated <format> file (<reason>); replace or remove the file"
[[noreturn]] void fail_damaged(const Source& source, std::string_view format, std::string_view reason);

/// "<name>: <what> is not supported; <remedy>"
[[noreturn]] void fail_unsupported(const Source& source, std::string_view what, std::string_view remedy);

/// Checks the size that a header claims, so that a few forged bytes cannot ask for all the memory. Throws
/// Error for an empty picture, more than 65535 pixels a side or more than 2^30 samples.
void check_size(const Source& source, std::int64_t width, std::int64_t height, std::int64_t channels);
/// Image::blank behind that check.
Image blank_checked(const Source& source, std::int64_t width, std::int64_t height, std::int64_t channels,
                    PixelType type);

// Each format: header only; pixels; encoding of an image that the format can hold (codec.cpp checks that).
Header jpeg_header(const Source& source);
Decoded decode_jpeg(const Source& source);
std::string encode_jpeg(const Image& image, const std::string& name, const EncodeOptions& options);

Header png_header(const Source& source);
Decoded decode_png(const Source& source);
std::string encode_png(const Image& image, const std::string& name, const EncodeOptions& options);

Header tiff_header(const Source& source);
Decoded decode_tiff(const Source& source);
std::string encode_tiff(const Image& image, const std::string& name, const EncodeOptions& options);

Header webp_header(const Source& source);
Decoded decode_webp(const Source& source);
std::string encode_webp(const Image& image, const std::string& name, const EncodeOptions& options);

Header bmp_header(const Source& source);
Decoded decode_bmp(const Source& source);
std::string encode_bmp(const Image& image, const std::string& name, const EncodeOptions& options);

Header pnm_header(const Source& source);
Decoded decode_pnm(const Source& source);
std::string encode_pnm(const Image& image, const std::string& name, const EncodeOptions& options);

}  // namespace torsor::formats
