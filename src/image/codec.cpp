#include "image/codec.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "image/exif.h"
#include "image/formats.h"

namespace torsor {

namespace formats {

namespace {

constexpr std::int64_t kMaxSide = 65535;
constexpr std::int64_t kMaxSamples = std::int64_t{1} << 30;
constexpr std::uint64_t kFreeMemory = std::uint64_t{64} << 20, kMemoryPerByte = 64 << 10;

std::size_t place(const Source& source) { return std::min(source.at, source.bytes.size()); }

std::string described(const Claim& claim) {
  return fmt::format("the header at byte {} claims {} x {} pixels of {} channel{}", claim.header_at,
                     claim.width, claim.height, claim.channels, claim.channels == 1 ? "" : "s");
}

}  // namespace

void fail_damaged(const Source& source, std::string_view format, std::string_view reason) {
  std::string line(reason);
  std::replace(line.begin(), line.end(), '\n', ' ');
  fail("{}: damaged or truncated {} file at byte {} ({}); replace or remove the file", source.name, format,
       place(source), line);
}

void fail_unsupported(const Source& source, std::string_view what, std::string_view remedy) {
  fail("{}: {} (at byte {}) is not supported; {}", source.name, what, place(source), remedy);
}

std::uint64_t most_memory(const Source& source) { return kFreeMemory + kMemoryPerByte * source.bytes.size(); }

void check_size(const Source& source, const Claim& claim, std::uint64_t working_bytes) {
  const auto& [header_at, width, height, channels, type] = claim;
  if (width < 1 || height < 1 || channels < 1)
    fail("{}: {}, expected at least 1 of each; replace or remove the file", source.name, described(claim));
  if (width > kMaxSide || height > kMaxSide || width * height > kMaxSamples / channels)
    fail(
        "{}: {}, too many: at most {} a side and 2^30 samples are read; scale the image down or cut it into "
        "tiles",
        source.name, described(claim), kMaxSide);
  const auto pixel_bytes = static_cast<std::uint64_t>(width * height * channels * bytes_per_sample(type));
  if (std::max(pixel_bytes, working_bytes) > most_memory(source))
    fail("{}: {}, which a file of {} bytes cannot hold; replace or remove the file", source.name,
         described(claim), source.bytes.size());
}

Image blank_checked(const Source& source, const Claim& claim) {
  check_size(source, claim);
  return Image::blank(claim.width, claim.height, claim.channels, claim.type);
}

}  // namespace formats

namespace {

using formats::Decoded;
using formats::Header;
using formats::Source;

constexpr std::int64_t kAnyChannels = 0;

struct Format {
  std::string_view title;
  std::vector<std::string> extensions;
  std::vector<std::int64_t> channels;  // that it can be written with
  std::vector<PixelType> types;
  bool (*matches)(std::string_view bytes);
  Header (*read_header)(Source&);
  Decoded (*decode)(Source&);
  std::string (*encode)(const Image&, const std::string& name, const EncodeOptions&);
};

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }
bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1A\n"); }
// The characters at `at`, fewer or none where the file ends.
std::string_view part(std::string_view bytes, std::size_t at, std::size_t size) {
  return bytes.substr(std::min(at, bytes.size()), size);
}

bool is_webp(std::string_view bytes) { return bytes.starts_with("RIFF") && part(bytes, 8, 4) == "WEBP"; }
bool is_bmp(std::string_view bytes) { return bytes.starts_with("BM"); }

bool is_tiff(std::string_view bytes) {
  const std::string_view magic = bytes.substr(0, 4);
  using namespace std::string_view_literals;
  return magic == "II*\0"sv || magic == "MM\0*"sv || magic == "II+\0"sv || magic == "MM\0+"sv;
}

bool is_pnm(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         std::string_view(" \t\r\n#").find(bytes[2]) != std::string_view::npos;
}

const std::vector<Format>& all_formats() {
  using enum PixelType;
  static const std::vector<Format> formats = {
      {"JPEG",
       {"jpg", "jpeg"},
       {1, 3},
       {u8},
       is_jpeg,
       formats::jpeg_header,
       formats::decode_jpeg,
       formats::encode_jpeg},
      {"PNG",
       {"png"},
       {1, 2, 3, 4},
       {u8, u16},
       is_png,
       formats::png_header,
       formats::decode_png,
       formats::encode_png},
      {"BMP", {"bmp"}, {1, 3}, {u8}, is_bmp, formats::bmp_header, formats::decode_bmp, formats::encode_bmp},
      {"WebP",
       {"webp"},
       {1, 3, 4},
       {u8},
       is_webp,
       formats::webp_header,
       formats::decode_webp,
       formats::encode_webp},
      {"TIFF",
       {"tif", "tiff"},
       {kAnyChannels},
       {u8, u16, f32},
       is_tiff,
       formats::tiff_header,
       formats::decode_tiff,
       formats::encode_tiff},
      {"PPM/PGM",
       {"ppm", "pgm"},
       {1, 3},
       {u8, u16},
       is_pnm,
       formats::pnm_header,
       formats::decode_pnm,
       formats::encode_pnm},
  };
  return formats;
}

std::string extension_of(const std::filesystem::path& path) {
  const std::string dotted = path.extension().string();
  return dotted.empty() ? "" : lower(dotted.substr(1));
}

std::string all_titles() {
  std::vector<std::string> titles;
  for (const Format& format : all_formats()) titles.emplace_back(format.title);
  return join(titles);
}

// Formats that people do have in their folders deserve their name in the message.
std::string_view known_stranger(std::string_view bytes) {
  if (bytes.starts_with("GIF8")) return "a GIF";
  if (bytes.starts_with("%PDF")) return "a PDF";
  if (bytes.starts_with("8BPS")) return "a Photoshop file";
  if (part(bytes, 4, 8) == "ftypavif") return "an AVIF";
  if (part(bytes, 4, 4) == "ftyp") return "a HEIF or video file";
  if (bytes.starts_with("PK\x03\x04")) return "a ZIP archive";
  return {};
}

const Format& format_of(const Source& source) {
  if (source.bytes.empty())
    fail("{}: the file is empty (0 bytes), expected an image; replace or remove the file", source.name);
  for (const Format& format : all_formats())
    if (format.matches(source.bytes)) return format;
  if (const std::string_view stranger = known_stranger(source.bytes); !stranger.empty())
    fail("{}: is {}, expected {}; convert it or remove the file", source.name, stranger, all_titles());
  fail("{}: not an image: the content is none of {}; replace or remove the file", source.name, all_titles());
}

ImageInfo decode_info(const std::string& bytes, const std::string& name) {
  Source source{bytes, name};
  Header header = format_of(source).read_header(source);
  if (swaps_sides(header.orientation)) std::swap(header.info.width, header.info.height);
  return header.info;
}

const Format& format_for_writing(const std::filesystem::path& path) {
  const std::string extension = extension_of(path);
  for (const Format& format : all_formats())
    if (std::find(format.extensions.begin(), format.extensions.end(), extension) != format.extensions.end())
      return format;
  fail("{}: the extension names no image format; expected one of {}", path.string(),
       join(image_extensions()));
}

bool can_hold(const Format& format, const Image& image) {
  const auto has = [](const auto& values, auto value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  return has(format.types, image.type) &&
         (has(format.channels, kAnyChannels) || has(format.channels, image.channels));
}

std::string_view type_title(PixelType type) {
  return type == PixelType::u8 ? "8-bit" : type == PixelType::u16 ? "16-bit" : "32-bit float";
}

void check_can_hold(const Format& format, const Image& image, const std::string& name) {
  if (can_hold(format, image)) return;
  std::vector<std::string> able;
  for (const Format& other : all_formats())
    if (can_hold(other, image)) able.emplace_back(other.title);
  fail("{}: {} cannot hold {} images of {} channel{}; write {} instead", name, format.title,
       type_title(image.type), image.channels, image.channels == 1 ? "" : "s", join(able, " or "));
}

void check_consistent(const Image& image, const std::string& name) {
  const bool positive = image.width > 0 && image.height > 0 && image.channels > 0;
  const auto expected = static_cast<std::size_t>(image.samples() * bytes_per_sample(image.type));
  if (!positive || image.bytes.size() != expected)
    fail(
        "{}: cannot write an image of {} x {} x {} that holds {} bytes; expected width * height * channels "
        "samples",
        name, image.width, image.height, image.channels, image.bytes.size());
}

void check_quality(int quality, std::string_view option) {
  if (quality < 0 || quality > 100) fail_usage("{} is {}, expected 0..100", option, quality);
}

}  // namespace

const std::vector<std::string>& image_extensions() {
  static const std::vector<std::string> extensions = [] {
    std::vector<std::string> all;
    for (const Format& format : all_formats())
      all.insert(all.end(), format.extensions.begin(), format.extensions.end());
    return all;
  }();
  return extensions;
}

bool has_image_extension(const std::filesystem::path& path) {
  const auto& known = image_extensions();
  return std::find(known.begin(), known.end(), extension_of(path)) != known.end();
}

Image read_image(const std::filesystem::path& path) { return decode_image(read_file(path), path.string()); }

Image decode_image(const std::string& bytes, const std::string& name) {
  Source source{bytes, name};
  Decoded decoded = format_of(source).decode(source);
  return apply_orientation(std::move(decoded.image), decoded.orientation);
}

ImageInfo read_image_info(const std::filesystem::path& path) {
  // WebP keeps EXIF and TIFF its directory behind the pixels, hence the whole file.
  return decode_info(read_file(path), path.string());
}

void write_image(const std::filesystem::path& path, const Image& image, const EncodeOptions& options) {
  const Format& format = format_for_writing(path);
  const std::string name = path.string();
  check_quality(options.jpeg_quality, "jpeg_quality");
  check_quality(options.webp_quality, "webp_quality");
  check_consistent(image, name);
  check_can_hold(format, image, name);
  write_file_atomically(path, format.encode(image, name, options));
}

std::string encode_png(const Image& image) {
  const std::string name = "PNG in memory";
  check_consistent(image, name);
  check_can_hold(format_for_writing("memory.png"), image, name);
  return formats::encode_png(image, name, {});
}

}  // namespace torsor
