#include "image/codec.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "image/colour_profile.h"
#include "image/convert.h"
#include "image/exif.h"
#include "image/foreign.h"
#include "image/format_list.h"

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

void add_note(const Source& source, std::string text) {
  if (source.notes == nullptr) return;
  text = one_line(text);
  if (std::find(source.notes->begin(), source.notes->end(), text) == source.notes->end())
    source.notes->push_back(std::move(text));
}

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
using formats::Format;
using formats::format_of;
using formats::Header;
using formats::kAnyChannels;
using formats::Source;

std::string extension_of(const std::filesystem::path& path) {
  const std::string dotted = path.extension().string();
  return dotted.empty() ? "" : dotted.substr(1);
}

ImageInfo decode_info(const std::string& bytes, const std::string& name) {
  Source source{bytes, name};
  Header header = format_of(source).read_header(source);
  if (swaps_sides(header.orientation)) std::swap(header.info.width, header.info.height);
  return header.info;
}

Image decode_picture(Source& source) {
  Decoded decoded = format_of(source).decode(source);
  return apply_orientation(std::move(decoded.image), decoded.orientation);
}

void note_other_pages(Source& source) {
  const Format& format = format_of(source);
  if (format.find_pages == nullptr) return;
  const formats::Pages pages = format.find_pages(source);
  if (!pages.broken.empty())
    formats::add_note(source, fmt::format("the pages behind the first cannot be read ({})", pages.broken));
  else if (pages.places.size() > 1)
    formats::add_note(source, fmt::format("{} pages, of which the first alone is read", pages.places.size()));
}

const Format& format_for_writing(const std::filesystem::path& path) {
  if (const Format* format = formats::find_format_named(extension_of(path)); format != nullptr)
    return *format;
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
  for (const Format& other : formats::all_formats())
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

void check_can_write(const Format& format, const Image& image, const EncodeOptions& options,
                     const std::string& name) {
  check_quality(options.jpeg_quality, "jpeg_quality");
  check_quality(options.webp_quality, "webp_quality");
  check_consistent(image, name);
  check_can_hold(format, image, name);
}

// WebP has no grey.
std::int64_t stored_channels(const Format& format, std::int64_t channels) {
  return format.encode == formats::encode_webp && channels == 1 ? 3 : channels;
}

Image in_stored_colours(const Format& format, const Image& image, const std::string& name) {
  const std::int64_t channels = stored_channels(format, image.channels);
  if (channels == image.channels) return formats::in_stored_colours(image, name);
  return formats::in_stored_colours(with_channels(image, channels).with_tags_of(image), name);
}

std::string encode_as(const Format& format, const Image& image, const EncodeOptions& options,
                      const std::string& name) {
  check_can_write(format, image, options, name);
  if (image.profile == nullptr || format.profiles == formats::Profiles::none)
    return format.encode(image, name, options);
  return format.encode(in_stored_colours(format, image, name), name, options);
}

}  // namespace

const std::vector<std::string>& image_extensions() {
  static const std::vector<std::string> extensions = [] {
    std::vector<std::string> all;
    for (const Format& format : formats::all_formats())
      all.insert(all.end(), format.extensions.begin(), format.extensions.end());
    return all;
  }();
  return extensions;
}

bool has_image_extension(const std::filesystem::path& path) {
  return formats::find_format_named(extension_of(path)) != nullptr;
}

std::string image_extension_of(const std::string& beginning) {
  if (foreign_by_content(beginning) != nullptr) return "";
  const Format* format = formats::find_format(beginning);
  return format == nullptr ? "" : format->extensions.front();
}

Image read_image(const std::filesystem::path& path) { return decode_image(read_file(path), path.string()); }

Image read_image(const std::filesystem::path& path, Notes& notes) {
  return decode_image(read_file(path), path.string(), notes);
}

Image decode_image(const std::string& bytes, const std::string& name) {
  Source source{bytes, name};
  return decode_picture(source);
}

Image decode_image(const std::string& bytes, const std::string& name, Notes& notes) {
  Source source{bytes, name};
  source.notes = &notes;
  Image image = decode_picture(source);
  note_other_pages(source);
  return image;
}

std::vector<std::string> page_uses() { return {"images", "channels", "slices"}; }

PageUse page_use_named(const std::string& name) {
  const std::vector<std::string> names = page_uses();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail_usage("pages: '{}' is none of {}", name, join(names));
  return static_cast<PageUse>(found - names.begin());
}

ImageFile::ImageFile(const std::filesystem::path& path, PageUse use, Colours colours)
    : ImageFile(read_file(path), path.string(), use, colours) {}

ImageFile::ImageFile(std::string bytes, std::string name, PageUse use, Colours colours)
    : bytes_(std::move(bytes)), name_(std::move(name)), use_(use), colours_(colours) {
  Source source{bytes_, name_};
  const Format& format = format_of(source);
  if (format.find_pages == nullptr) return;
  formats::Pages pages = format.find_pages(source);
  if (!pages.broken.empty()) formats::fail_damaged(source, format.title, pages.broken);
  places_ = std::move(pages.places);
}

std::int64_t ImageFile::pages_stored() const {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(places_.size()));
}

Image ImageFile::read(std::int64_t page) {
  return use_ == PageUse::channels && pages_stored() > 1 ? read_stacked() : read_page(page);
}

Image ImageFile::read_stacked() {
  std::vector<Image> pages;
  std::int64_t channels = 0;
  for (std::int64_t page = 0; page < pages_stored(); ++page) {
    pages.push_back(read_page(page));
    const Image &first = pages.front(), &last = pages.back();
    if (last.width != first.width || last.height != first.height || last.type != first.type)
      fail(
          "{}: page {} is {}x{} pixels of {} and page 1 {}x{} of {}: as channels of one image they must be "
          "alike; --pages images takes each by itself",
          name_, page + 1, last.width, last.height, type_title(last.type), first.width, first.height,
          type_title(first.type));
    channels += last.channels;
    const std::int64_t most = (std::int64_t{1} << 30) / (first.width * first.height);
    if (channels > most) fail("{}: its pages together have more than 2^30 samples; cut it into tiles", name_);
  }
  Image out = Image::blank(pages.front().width, pages.front().height, channels, pages.front().type);
  out.with_tags_of(pages.front());
  out.last = LastChannel::data;
  const std::int64_t size = bytes_per_sample(out.type);
  std::uint8_t* to = out.bytes.data();
  for (std::int64_t p = 0; p < out.width * out.height; ++p)
    for (const Image& page : pages) {
      const std::int64_t bytes = page.channels * size;
      to = std::copy_n(page.bytes.data() + p * bytes, bytes, to);
    }
  return out;
}

Image ImageFile::read_page(std::int64_t page) {
  const std::string name = pages_stored() == 1 ? name_ : fmt::format("{} (page {})", name_, page + 1);
  Source source{bytes_, name};
  source.notes = &notes_;
  source.colours = colours_;
  if (!places_.empty()) source.page_place = places_.at(static_cast<std::size_t>(page));
  return decode_picture(source);
}

ImageInfo read_image_info(const std::filesystem::path& path) {
  // WebP keeps EXIF and TIFF its directory behind the pixels, hence the whole file.
  return decode_info(read_file(path), path.string());
}

std::string encode_image(const std::string& extension, const Image& image, const EncodeOptions& options,
                         const std::string& name) {
  return encode_as(format_for_writing("x." + extension), image, options, name);
}

void write_image(const std::filesystem::path& path, const Image& image, const EncodeOptions& options) {
  write_file_atomically(path, encode_as(format_for_writing(path), image, options, path.string()));
}

void check_format_holds(const std::filesystem::path& path, std::int64_t channels, PixelType type) {
  check_can_hold(format_for_writing(path), Image{1, 1, channels, type, {}}, path.string());
}

bool format_holds(const std::filesystem::path& path, std::int64_t channels, PixelType type) {
  const Format* format = formats::find_format_named(extension_of(path));
  return format != nullptr && can_hold(*format, Image{1, 1, channels, type, {}});
}

bool format_holds_pages(const std::filesystem::path& path) {
  const Format* format = formats::find_format_named(extension_of(path));
  return format != nullptr && format->make_encoder != nullptr;
}

bool format_holds_profile(const std::filesystem::path& path) {
  const Format* format = formats::find_format_named(extension_of(path));
  return format != nullptr && format->profiles == formats::Profiles::held;
}

void check_profile_fits(const std::filesystem::path& path, const IccProfile& profile, std::int64_t channels) {
  formats::check_profile_fits(profile, stored_channels(format_for_writing(path), channels), path.string());
}

bool format_keeps_no_data(const std::filesystem::path& path) {
  const Format* format = formats::find_format_named(extension_of(path));
  return format != nullptr && format->encode == formats::encode_tiff;
}

PageWriter::PageWriter(std::filesystem::path path, std::int64_t pages, const EncodeOptions& options)
    : path_(std::move(path)), expected_(pages), options_(options) {
  const Format& format = format_for_writing(path_);
  if (pages < 1) fail("{}: cannot write an image file without a page", path_.string());
  if (pages == 1) return;
  if (format.make_encoder == nullptr)
    fail("{}: {} holds one picture, not {} pages; write TIFF instead", path_.string(), format.title, pages);
  encoder_ = format.make_encoder(pages, path_.string());
}

PageWriter::~PageWriter() = default;
PageWriter::PageWriter(PageWriter&&) noexcept = default;

void PageWriter::add(const Image& image) {
  if (added_ == expected_) fail("{}: more pages than the {} announced", path_.string(), expected_);
  const Format& format = format_for_writing(path_);
  if (encoder_ != nullptr) {
    check_can_write(format, image, options_, path_.string());
    encoder_->add(image.profile == nullptr ? image : in_stored_colours(format, image, path_.string()));
  } else {
    encoded_ = encode_as(format, image, options_, path_.string());
  }
  ++added_;
}

void PageWriter::finish() {
  if (added_ != expected_) fail("{}: {} of {} pages were written", path_.string(), added_, expected_);
  write_file_atomically(path_, encoder_ == nullptr ? encoded_ : encoder_->finish());
}

void write_image_pages(const std::filesystem::path& path, const std::vector<Image>& pages,
                       const EncodeOptions& options) {
  PageWriter writer(path, static_cast<std::int64_t>(pages.size()), options);
  for (const Image& page : pages) writer.add(page);
  writer.finish();
}

}  // namespace torsor
