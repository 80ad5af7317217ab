// What every file format gives to the codec. Internal to this layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "image/codec.h"
#include "image/image.h"

namespace torsor::formats {

/// The bytes of one encoded image, the name to use in messages, and how far the decoder has come.
struct Source {
  std::string_view bytes;
  const std::string& name;
  std::size_t at = 0;            // the byte that messages name; beyond the end means the end
  Notes* notes = nullptr;        // where to put what is to be said; null when nobody listens
  std::uint64_t page_place = 0;  // of find_pages(); 0 for the first picture
  Colours colours = Colours::as_srgb;
};

/// Adds a note, unless nobody listens or it was said already.
void add_note(const Source& source, std::string text);

/// The picture that the header at a byte of the file claims to be there.
struct Claim {
  std::size_t header_at;
  std::int64_t width, height, channels;
  PixelType type = PixelType::u8;
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

/// The pictures in a file that can hold several.
struct Pages {
  std::vector<std::uint64_t> places;  // for Source::page_place
  std::string broken;                 // why those behind them cannot be found, or ""
};

/// Files of several pages are written a page at a time.
class PageEncoder {
 public:
  virtual ~PageEncoder() = default;
  virtual void add(const Image& image) = 0;
  virtual std::string finish() = 0;  // the file's bytes
};

/// "<name>: damaged or truncated <format> file at byte <at> (<reason>); replace or remove the file"
[[noreturn]] void fail_damaged(const Source& source, std::string_view format, std::string_view reason);

/// "<name>: <what> (at byte <at>) is not supported; <remedy>"
[[noreturn]] void fail_unsupported(const Source& source, std::string_view what, std::string_view remedy);

/// The memory that a file may ask for at a time: 64 MiB, and 64 KiB for each of its bytes. Only pictures of a
/// single colour can be packed tighter.
std::uint64_t most_memory(const Source& source);

/// Checks the size that a header claims, so that a few forged bytes cannot ask for all the memory. Throws
/// Error for an empty picture, more than 65535 pixels a side, more than 2^30 samples, and when the pixels or
/// the `working_bytes` that the library needs beside them go beyond most_memory.
void check_size(const Source& source, const Claim& claim, std::uint64_t working_bytes = 0);
/// Image::blank behind that check.
Image blank_checked(const Source& source, const Claim& claim);

// Each format: header only; pixels; encoding of an image that the format can hold (codec.cpp checks that, and
// has converted the samples to the colours of the profile that is to be embedded).
Header jpeg_header(Source& source);
Decoded decode_jpeg(Source& source);
std::string encode_jpeg(const Image& image, const std::string& name, const EncodeOptions& options);

Header png_header(Source& source);
Decoded decode_png(Source& source);
std::string encode_png(const Image& image, const std::string& name, const EncodeOptions& options);

Header tiff_header(Source& source);
Decoded decode_tiff(Source& source);
Pages find_tiff_pages(Source& source);
std::string encode_tiff(const Image& image, const std::string& name, const EncodeOptions& options);
std::unique_ptr<PageEncoder> make_tiff_encoder(std::int64_t pages, const std::string& name);

Header webp_header(Source& source);
Decoded decode_webp(Source& source);
std::string encode_webp(const Image& image, const std::string& name, const EncodeOptions& options);

Header bmp_header(Source& source);
Decoded decode_bmp(Source& source);
std::string encode_bmp(const Image& image, const std::string& name, const EncodeOptions& options);

Header npy_header(Source& source);
Decoded decode_npy(Source& source);
std::string encode_npy(const Image& image, const std::string& name, const EncodeOptions& options);

Header pnm_header(Source& source);
Decoded decode_pnm(Source& source);
std::string encode_pnm(const Image& image, const std::string& name, const EncodeOptions& options);

}  // namespace torsor::formats
