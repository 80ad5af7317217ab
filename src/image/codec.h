// Image files <-> Image. Formats: JPEG, PNG, BMP, WebP, TIFF, PPM/PGM.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "image/image.h"

namespace torsor {

namespace formats {
class PageEncoder;
}

/// Lower-case extensions that read_image knows, without the dot.
const std::vector<std::string>& image_extensions();

/// Whether the file's name says that it is an image (case-insensitive).
bool has_image_extension(const std::filesystem::path& path);

/// What a reader has to say of a file that it could read: one short line each, without the file's name and
/// none twice. Defects that cost nothing of the picture, and what becomes of it by being read here: colours
/// that are converted, frames and pages that are not read. docs/formats.md lists them.
using Notes = std::vector<std::string>;

/// What becomes of the colours of a file with an ICC profile: sRGB's by relative colorimetric conversion with
/// black-point compensation, at the samples' own depth, or the stored samples, whatever they show.
enum class Colours { as_srgb, as_stored };

/// Reads an image at the file's own channel count and pixel type; the format is told by its content, not its
/// name. Palettes and CMYK become RGB; colours become sRGB (Colours); EXIF orientation is applied once; alpha
/// is kept (2 or 4 channels), never premultiplied; 1-, 2- and 4-bit grey becomes 8-bit, half floats f32. Of a
/// TIFF's pages the first that is not a thumbnail, of an animation the first frame. Safe to call from many
/// threads. Throws Error naming the file, and the byte in it where reading stopped, for: damage that cost
/// something of the picture (docs/formats.md), a variant that is not supported, sample types that PixelType
/// lacks, a side above 65535 or more than 2^30 samples, and more pixels than a file of this length can hold
/// (their memory is at most 64 MiB and 64 KiB for each byte of the file). Also for a file that is unreadable,
/// empty (zero bytes) or no image: of other programs' formats with the name and a program that converts it.
Image read_image(const std::filesystem::path& path);
/// The same; adds to `notes`, which takes a little longer.
Image read_image(const std::filesystem::path& path, Notes& notes);

/// The same from memory; `name` is used in messages.
Image decode_image(const std::string& bytes, const std::string& name);
Image decode_image(const std::string& bytes, const std::string& name, Notes& notes);

/// What the pages of a file are: images of their own, the channels of one image, or slices of one volume.
enum class PageUse { images, channels, slices };

/// Their names, of --pages; and one by its name. Throws UsageError for another.
std::vector<std::string> page_uses();
PageUse page_use_named(const std::string& name);

/// An image file with all of its pages, of which one is decoded at a time. Only a TIFF has more than one;
/// thumbnails and masks are no pages. Holds the file's bytes, not the pixels.
class ImageFile {
 public:
  /// Throws as read_image(); also when a page is lost because the chain of a TIFF's pages is broken.
  explicit ImageFile(const std::filesystem::path& path, PageUse use = PageUse::images,
                     Colours colours = Colours::as_srgb);
  ImageFile(std::string bytes, std::string name, PageUse use = PageUse::images,
            Colours colours = Colours::as_srgb);

  /// Images in the file: one where its pages are channels.
  std::int64_t pages() const { return use_ == PageUse::channels ? 1 : pages_stored(); }
  std::int64_t pages_stored() const;
  /// Decodes page 0..pages()-1 and adds to notes() what it says. Where pages are channels all are decoded,
  /// and those of the first page come first. Throws as read_image(), naming the page, and when such pages
  /// differ in size or type.
  Image read(std::int64_t page);
  /// Of the file and of the pages that were read so far.
  const Notes& notes() const { return notes_; }

 private:
  Image read_page(std::int64_t page);
  Image read_stacked();

  std::string bytes_, name_;
  PageUse use_;
  Colours colours_;
  std::vector<std::uint64_t> places_;  // of the pages' directories; empty for formats without pages
  Notes notes_;
};

/// The first of image_extensions() for the format that the bytes begin with (the first 64 are enough); "" for
/// none of them.
std::string image_extension_of(const std::string& beginning);

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
/// channel to WebP or BMP is written as RGB. With Image::profile in the colours of that profile, which is
/// embedded, where the format holds profiles; throws Error where the profile does not fit
/// (check_profile_fits()). Throws UsageError for a quality outside 0..100.
void write_image(const std::filesystem::path& path, const Image& image, const EncodeOptions& options = {});

/// The same into memory; `extension` is one of image_extensions(). `name` is used in messages.
std::string encode_image(const std::string& extension, const Image& image, const EncodeOptions& options = {},
                         const std::string& name = "the image in memory");

/// Throws Error that says which formats can when the one that the path's extension names cannot hold such
/// images, or when it names none.
void check_format_holds(const std::filesystem::path& path, std::int64_t channels, PixelType type);

/// Whether the format that the path's extension names can. False when it names none.
bool format_holds(const std::filesystem::path& path, std::int64_t channels, PixelType type);

/// Whether that format has files of several pages.
bool format_holds_pages(const std::filesystem::path& path);

/// Whether that format keeps Image::no_data.
bool format_keeps_no_data(const std::filesystem::path& path);

/// Whether files of that format hold an ICC profile.
bool format_holds_profile(const std::filesystem::path& path);

/// A profile of sRGB for Image::profile; a grey image is written with its grey counterpart.
IccProfile srgb_profile();

/// What an ICC profile calls itself, at most 60 characters; "" where it does not, or is malformed.
std::string profile_name(const IccProfile& profile);

/// The note of a reader that converted colours from the profile of this name.
std::string conversion_note(const std::string& profile_name);

/// Throws Error that begins with `path` and says why, when an image of so many channels, the last of 2 or 4
/// being alpha, cannot be written there in the colours of the profile.
void check_profile_fits(const std::filesystem::path& path, const IccProfile& profile, std::int64_t channels);

/// Writes a file of several pages, which may differ in size and type. Holds the encoded pages until finish().
class PageWriter {
 public:
  /// Throws Error when the extension's format cannot hold `pages` (all but TIFF hold one).
  PageWriter(std::filesystem::path path, std::int64_t pages, const EncodeOptions& options = {});
  ~PageWriter();
  PageWriter(PageWriter&&) noexcept;

  /// The next page; throws as write_image(). Together they must be as many as was said.
  void add(const Image& image);
  /// Writes the file atomically. Without it nothing is written.
  void finish();

 private:
  std::filesystem::path path_;
  std::int64_t expected_, added_ = 0;
  EncodeOptions options_;
  std::string encoded_;                            // of a format without pages
  std::unique_ptr<formats::PageEncoder> encoder_;  // of a TIFF
};

/// PageWriter for pages that are at hand.
void write_image_pages(const std::filesystem::path& path, const std::vector<Image>& pages,
                       const EncodeOptions& options = {});

}  // namespace torsor
