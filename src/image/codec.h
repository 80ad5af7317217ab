// Image files <-> Image. Formats: JPEG, PNG, BMP, WebP, TIFF, PPM/PGM.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image/image.h"

namespace torsor {

/// Lower-case extensions that read_image knows, without the dot.
const std::vector<std::string>& image_extensions();

/// Whether the file's name says that it is an image (case-insensitive).
bool has_image_extension(const std::filesystem::path& path);

/// Reads an image at the file's own channel count and pixel type; the format is told by its content, not its
/// name. Palettes and CMYK become RGB; EXIF orientation is applied once; alpha is kept (2 or 4 channels),
/// never premultiplied; 1-, 2- and 4-bit grey becomes 8-bit, half floats f32. Of a TIFF's pages the first
/// that is not a thumbnail. Safe to call from many threads. Throws Error naming the file, and the byte in it
/// where reading stopped, for: truncated or damaged (a decoder's warning counts as damage), animated WebP,
/// sample types that PixelType lacks, a side above 65535 or more than 2^30 samples, and more pixels than a
/// file of this length can hold (their memory is at most 64 MiB and 64 KiB for each byte of the file). Also
/// for a file that is unreadable, empty (zero bytes) or no image.
Image read_image(const std::filesystem::path& path);

/// The same from memory; `name` is used in messages.
Image decode_image(const std::string& bytes, const std::string& name);

struct ImageInfo {
  std::int64_t width = 0, height = 0, channels = 0;  // after EXIF orientation
  PixelType type = PixelType::u8;
  // Of a TIFF, thumbnails not counted; the first 16384 are looked at. read_image gives the first.
  std::int64_t pages = 1;
};

/// Header only (size checks before a run). Same errors, except that damage behind the header goes unseen.
ImageInfo read_image_info(const std::filesystem::path& path);

struct EncodeOptions {
  int jpeg_quality = 95;  // 0..100; from 90 on colour at full resolution (4:4:4), below at half (4:2:0)
  int webp_quality = 95;  // 0..100; 100 = lossless
};

/// Encodes in the format that `path`'s extension names (the folder must exist) and writes atomically.
/// u8 with 1 or 3 channels everywhere; 2/4 channels (PNG, TIFF; 4 also WebP), u16 (PNG, TIFF, PPM/PGM), f32
/// and any channel count (TIFF) where the format can; otherwise throws Error that says which formats can. 1
/// channel to WebP or BMP is written as RGB. Throws UsageError for a quality outside 0..100.
void write_image(const std::filesystem::path& path, const Image& image, const EncodeOptions& options = {});

/// Encodes as PNG in memory (for pages).
std::string encode_png(const Image& image);

}  // namespace torsor
