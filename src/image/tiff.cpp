// TIFF by libtiff: 8- and 16-bit unsigned and 16- and 32-bit float samples of any channel count as they are,
// of Lab colours as sRGB; bilevel, palette, YCbCr and, without a profile, CMYK pictures through libtiff's
// conversion to RGB.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "image/colour_profile.h"
#include "image/exif.h"
#include "image/formats.h"
#include "image/half.h"
#include "image/lab.h"
#include "image/tiff_file.h"

namespace torsor::formats {

namespace {

struct Layout {
  std::size_t at = 0;  // of the page's directory
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, sample_format = SAMPLEFORMAT_UINT;
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK, planar = PLANARCONFIG_CONTIG, orientation = 1;
  bool premultiplied = false;
  LastChannel last = LastChannel::by_number;
  std::optional<double> no_data = std::nullopt;

  bool is_grey() const { return photometric <= PHOTOMETRIC_MINISBLACK; }
  bool is_float() const { return sample_format == SAMPLEFORMAT_IEEEFP; }
  bool is_unsigned() const { return sample_format == SAMPLEFORMAT_UINT; }
  bool is_lab() const {
    return (photometric == PHOTOMETRIC_CIELAB || photometric == PHOTOMETRIC_ICCLAB) && is_unsigned() &&
           samples >= 3;
  }
  bool is_cmyk() const {
    return photometric == PHOTOMETRIC_SEPARATED && samples >= 4 && is_unsigned() && (bits == 8 || bits == 16);
  }
  bool is_direct() const {
    const bool known =
        (is_unsigned() && (bits == 8 || bits == 16)) || (is_float() && (bits == 16 || bits == 32));
    return known && (is_grey() || photometric == PHOTOMETRIC_RGB || is_lab());
  }
  std::int64_t channels() const { return is_direct() ? samples : is_grey() ? 1 : 3; }
  PixelType type() const {
    if (!is_direct()) return PixelType::u8;
    return is_float() ? PixelType::f32 : bits == 16 ? PixelType::u16 : PixelType::u8;
  }
  std::size_t stored_bytes() const { return bits / 8; }
  Claim claim() const { return {at, width, height, channels(), type()}; }
};

// A number, or nan, with white space and a 0 behind it.
std::optional<double> parse_no_data(std::string text) {
  text.resize(std::min(text.size(), text.find('\0')));
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string_view rest(end);
  if (end == text.c_str() || rest.find_first_not_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  return value;
}

// Neither reduced nor a mask.
bool is_picture(const TiffFile& file) {
  const auto kind = file.tag<std::uint32_t>(TIFFTAG_SUBFILETYPE, 0);
  return (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0;
}

class TiffReader {
 public:
  explicit TiffReader(Source& source) : source_(source), file_(source.bytes, most_memory(source)) {
    if (file_.handle() == nullptr) damaged();
    select_page();
    if (file_.failed()) damaged();
    read_layout();
  }

  const Layout& layout() const { return layout_; }

  // Counts from the page that was selected, and moves on from it.
  std::int64_t count_pages() {
    std::int64_t pages = 1;
    while (file_.next_page())
      if (is_picture(file_)) ++pages;
    return pages;
  }

  Image read_pixels() {
    const std::uint64_t samples = std::uint64_t{layout_.width} * layout_.height * layout_.samples;
    file_.allow_reading(2 * samples * (layout_.bits + 7) / 8);  // twice: a tile may reach over the edge
    if (layout_.is_cmyk())
      if (const auto inks = ink_profile(source_, profile())) return read_inks(*inks);
    Image image = layout_.is_direct() ? read_direct() : read_converted();
    if (!layout_.is_lab() && !layout_.is_cmyk()) apply_profile(source_, profile(), colours(), image);
    return image;
  }

  // What is to be said once the pixels are read.
  void add_notes() const {
    for (const std::string& warning : file_.warnings()) add_note(source_, "libtiff: " + warning);
    if (!layout_.is_direct()) note_conversion();
  }

 private:
  Image read_direct() {
    Image image = blank_checked(source_, layout_.claim());
    image.last = layout_.last;
    image.no_data = layout_.no_data;
    read_samples(image);
    if (layout_.photometric == PHOTOMETRIC_MINISWHITE && !layout_.is_float()) invert_grey(image);
    if (layout_.premultiplied) divide_by_alpha(image);
    if (layout_.is_lab())
      lab_to_srgb(image,
                  layout_.photometric == PHOTOMETRIC_CIELAB ? LabCoding::is_signed : LabCoding::is_offset);
    return image;
  }

  void read_samples(Image& image) {
    if (TIFFIsTiled(file_.handle()))
      read_tiles(image);
    else
      read_rows(image);
    if (file_.failed()) damaged();
  }

  Image read_inks(const ColourProfile& profile) {
    const bool deep = layout_.bits == 16;
    Image inks = blank_checked(source_, {layout_.at, layout_.width, layout_.height, layout_.samples,
                                         deep ? PixelType::u16 : PixelType::u8});
    read_samples(inks);
    check_size(source_, layout_.claim());
    return inks_to_srgb(profile, inks);
  }

  std::string_view profile() const {
    std::uint32_t size = 0;
    const void* profile = nullptr;
    if (TIFFGetField(file_.handle(), TIFFTAG_ICCPROFILE, &size, &profile) != 1) return {};
    return {static_cast<const char*>(profile), size};
  }

  // Nothing for channels that are data beside a grey one.
  std::optional<ColourSpace> colours() const {
    if (!layout_.is_grey()) return ColourSpace::rgb;
    return layout_.channels() <= 2 ? std::optional(ColourSpace::grey) : std::nullopt;
  }

  [[noreturn]] void damaged() const {
    source_.at = file_.last_read_at();
    fail_damaged(source_, "TIFF", file_.failed() ? file_.message() : "the data are not valid");
  }

  [[noreturn]] void unsupported(std::string_view what, std::string_view remedy) const {
    source_.at = TIFFCurrentDirOffset(file_.handle());
    fail_unsupported(source_, what, remedy);
  }

  // Some programs put a thumbnail first.
  void select_page() {
    if (source_.page_place != 0) {
      if (TIFFSetSubDirectory(file_.handle(), source_.page_place) != 1) damaged();
      return;
    }
    do {
      if (is_picture(file_)) return;
    } while (file_.next_page());
    if (file_.failed()) damaged();
    unsupported("a TIFF that holds thumbnails or masks only", "export the picture itself");
  }

  void read_layout() {
    Layout& l = layout_;
    l.at = TIFFCurrentDirOffset(file_.handle());
    l.width = file_.tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
    l.height = file_.tag<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
    l.bits = file_.tag(TIFFTAG_BITSPERSAMPLE, l.bits);
    l.samples = file_.tag(TIFFTAG_SAMPLESPERPIXEL, l.samples);
    l.sample_format = file_.tag(TIFFTAG_SAMPLEFORMAT, l.sample_format);
    if (l.sample_format == SAMPLEFORMAT_VOID) l.sample_format = SAMPLEFORMAT_UINT;
    l.photometric = file_.tag(TIFFTAG_PHOTOMETRIC, l.photometric);
    l.planar = file_.tag(TIFFTAG_PLANARCONFIG, l.planar);
    l.orientation = file_.tag(TIFFTAG_ORIENTATION, l.orientation);
    l.premultiplied = has_premultiplied_alpha();
    if (!has_alpha()) l.last = LastChannel::data;
    l.no_data = no_data_value();
    // Its decoder ends the whole program when the data claim more than there is memory for.
    if (file_.tag<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE) == COMPRESSION_JBIG)
      unsupported("a TIFF compressed by JBIG", "save it with another compression");
    check_size(source_, {l.at, l.width, l.height, l.samples}, tile_memory());
    if (l.photometric == PHOTOMETRIC_RGB && l.samples < 3) {
      source_.at = l.at;
      fail_damaged(source_, "TIFF", "an RGB picture of fewer than 3 samples");
    }
    if (!l.is_direct()) check_convertible();
    if (!l.is_direct()) check_convertible_size();
    check_size(source_, l.claim());
  }

  // libtiff converts into 4 bytes a pixel.
  void check_convertible_size() const {
    constexpr std::int64_t kRasterChannels = 4;
    const Claim claim = layout_.claim();
    check_size(source_, claim, static_cast<std::uint64_t>(claim.width * claim.height * kRasterChannels));
    check_size(source_, {claim.header_at, claim.width, claim.height, kRasterChannels});
  }

  // Of all tiles together, since each is unpacked in full even where it reaches over the picture's edge.
  std::uint64_t tile_memory() const {
    if (!TIFFIsTiled(file_.handle())) return 0;
    const std::uint64_t size = TIFFTileSize64(file_.handle()), count = TIFFNumberOfTiles(file_.handle());
    return count != 0 && size > UINT64_MAX / count ? UINT64_MAX : size * count;
  }

  bool has_premultiplied_alpha() const {
    std::uint16_t count = 0, *kinds = nullptr;
    return TIFFGetField(file_.handle(), TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 && count == 1 &&
           kinds[0] == EXTRASAMPLE_ASSOCALPHA && !layout_.is_lab() &&
           (layout_.samples == 2 || layout_.samples == 4) && !layout_.is_float();
  }

  // Of 2 or 4 samples. Files that do not say what the last one is are taken to hold alpha.
  bool has_alpha() const {
    std::uint16_t count = 0, *kinds = nullptr;
    if (TIFFGetField(file_.handle(), TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 || count == 0)
      return layout_.photometric == PHOTOMETRIC_RGB || layout_.is_lab();
    const bool is_one_more = count == 1 && (layout_.samples == 2 || layout_.samples == 4);
    return is_one_more && kinds[0] != EXTRASAMPLE_UNSPECIFIED;
  }

  // libtiff does not know the tag and keeps it as it came, perhaps of another type.
  std::optional<double> no_data_value() const {
    const TIFFField* field = TIFFFindField(file_.handle(), kNoDataTag, TIFF_ANY);
    if (field == nullptr || TIFFFieldDataType(field) != TIFF_ASCII || TIFFFieldPassCount(field) == 0)
      return std::nullopt;
    std::uint32_t count = 0;
    const char* text = nullptr;
    if (TIFFGetField(file_.handle(), kNoDataTag, &count, &text) != 1 || text == nullptr) return std::nullopt;
    return parse_no_data({text, count});
  }

  void check_convertible() const {
    const char* const remedy = "save it with 8- or 16-bit unsigned or 32-bit float samples";
    if (!layout_.is_unsigned() || layout_.bits > 16)
      unsupported(fmt::format("a TIFF of {}-bit {} samples", layout_.bits,
                              layout_.is_float()      ? "float"
                              : layout_.is_unsigned() ? "unsigned"
                                                      : "signed or complex"),
                  remedy);
    char reason[1024] = "";
    if (TIFFRGBAImageOK(file_.handle(), reason) != 1)
      unsupported(fmt::format("a TIFF of this kind ({})", reason), remedy);
  }

  void note_conversion() const {
    const Layout& l = layout_;
    if (l.photometric == PHOTOMETRIC_CIELAB || l.photometric == PHOTOMETRIC_ICCLAB ||
        l.photometric == PHOTOMETRIC_ITULAB)
      add_note(source_, "Lab colours, converted to RGB roughly: a colour manager would give other ones");
    if (l.photometric == PHOTOMETRIC_LOGL || l.photometric == PHOTOMETRIC_LOGLUV)
      add_note(source_, "logarithmic light levels, of which 8 bits of brightness remain");
    if (l.bits > 8) add_note(source_, fmt::format("{}-bit samples of this kind are read as 8-bit", l.bits));
    const int own = l.photometric == PHOTOMETRIC_SEPARATED                ? 4
                    : l.is_grey() || l.photometric == PHOTOMETRIC_PALETTE ? 1
                                                                          : 3;
    if (l.samples > own) add_note(source_, "channels in addition to the colours (alpha) are not read");
  }

  std::uint16_t planes() const { return layout_.planar == PLANARCONFIG_SEPARATE ? layout_.samples : 1; }
  std::size_t samples_per_plane() const { return layout_.samples / planes(); }

  void read_rows(Image& image) {
    const std::size_t row_size = layout_.width * samples_per_plane() * layout_.stored_bytes();
    if (TIFFScanlineSize64(file_.handle()) != row_size) damaged();
    std::vector<std::uint8_t> row(row_size);
    for (std::uint16_t plane = 0; plane < planes(); ++plane)
      for (std::uint32_t y = 0; y < layout_.height; ++y) {
        if (TIFFReadScanline(file_.handle(), row.data(), y, plane) != 1) damaged();
        store(row.data(), layout_.width, 0, y, plane, image);
      }
  }

  void read_tiles(Image& image) {
    const auto tile_width = file_.tag<std::uint32_t>(TIFFTAG_TILEWIDTH, 0);
    const auto tile_height = file_.tag<std::uint32_t>(TIFFTAG_TILELENGTH, 0);
    const std::size_t row_size = tile_width * samples_per_plane() * layout_.stored_bytes();
    const std::uint64_t tile_size = TIFFTileSize64(file_.handle());
    if (tile_size == 0 || tile_size % tile_height != 0 || tile_size / tile_height != row_size) damaged();
    std::vector<std::uint8_t> tile(tile_size);
    for (std::uint16_t plane = 0; plane < planes(); ++plane)
      for (std::uint32_t top = 0; top < layout_.height; top += tile_height)
        for (std::uint32_t left = 0; left < layout_.width; left += tile_width) {
          if (TIFFReadTile(file_.handle(), tile.data(), left, top, 0, plane) < 0) damaged();
          const std::uint32_t columns = std::min(tile_width, layout_.width - left);
          const std::uint32_t rows = std::min(tile_height, layout_.height - top);
          for (std::uint32_t y = 0; y < rows; ++y)
            store(tile.data() + y * row_size, columns, left, top + y, plane, image);
        }
  }

  // Puts a run of `pixels` pixels of one plane at (x, y).
  void store(const std::uint8_t* run, std::uint32_t pixels, std::uint32_t x, std::uint32_t y,
             std::uint16_t plane, Image& image) const {
    const std::size_t size = layout_.stored_bytes(), per_plane = samples_per_plane();
    const std::size_t first = (std::size_t{y} * layout_.width + x) * layout_.samples + plane;
    if (layout_.is_float() && layout_.bits == 16) {
      for (std::size_t i = 0; i < pixels * per_plane; ++i) {
        std::uint16_t half;
        std::memcpy(&half, run + 2 * i, 2);
        image.f32()[first + i / per_plane * layout_.samples + i % per_plane] = half_to_float(half);
      }
    } else if (planes() == 1) {
      std::memcpy(image.bytes.data() + first * size, run, pixels * per_plane * size);
    } else {
      for (std::size_t i = 0; i < pixels; ++i)
        std::memcpy(image.bytes.data() + (first + i * layout_.samples) * size, run + i * size, size);
    }
  }

  // libtiff's RGBA raster: 4 bytes a pixel, red in the lowest. Asking for the file's own orientation makes it
  // leave the rows as they are stored.
  Image read_converted() {
    std::vector<std::uint32_t> raster(std::size_t{layout_.width} * layout_.height);
    if (TIFFReadRGBAImageOriented(file_.handle(), layout_.width, layout_.height, raster.data(),
                                  layout_.orientation, 1) != 1 ||
        file_.failed())
      damaged();
    Image image = Image::blank(layout_.width, layout_.height, layout_.channels());
    std::uint8_t* out = image.u8();
    for (const std::uint32_t pixel : raster)
      for (std::int64_t c = 0; c < image.channels; ++c) *out++ = static_cast<std::uint8_t>(pixel >> (8 * c));
    return image;
  }

  static void invert_grey(Image& image) {
    for (std::int64_t i = 0; i < image.samples(); i += image.channels)
      if (image.type == PixelType::u8)
        image.u8()[i] = static_cast<std::uint8_t>(255 - image.u8()[i]);
      else
        image.u16()[i] = static_cast<std::uint16_t>(65535 - image.u16()[i]);
  }

  template <class Sample>
  static void divide_by_alpha(Sample* samples, const Image& image) {
    constexpr std::uint64_t full = static_cast<Sample>(-1);
    for (std::int64_t i = 0; i < image.samples(); i += image.channels) {
      const std::uint64_t alpha = samples[i + image.channels - 1];
      for (std::int64_t c = 0; alpha != 0 && c + 1 < image.channels; ++c)
        samples[i + c] = static_cast<Sample>(std::min(full, (samples[i + c] * full + alpha / 2) / alpha));
    }
  }

  static void divide_by_alpha(Image& image) {
    if (image.type == PixelType::u8)
      divide_by_alpha(image.u8(), image);
    else
      divide_by_alpha(image.u16(), image);
  }

  Source& source_;
  TiffFile file_;
  Layout layout_;
};

}  // namespace

Header tiff_header(Source& source) {
  TiffReader reader(source);
  const Layout layout = reader.layout();
  return {{layout.width, layout.height, layout.channels(), layout.type(), reader.count_pages()},
          layout.orientation};
}

Decoded decode_tiff(Source& source) {
  TiffReader reader(source);
  Decoded decoded{reader.read_pixels(), reader.layout().orientation};
  reader.add_notes();
  return decoded;
}

Pages find_tiff_pages(Source& source) {
  TiffFile file(source.bytes, most_memory(source));
  Pages pages;
  if (file.handle() == nullptr) return pages;  // decode_tiff() says why
  do {
    if (is_picture(file)) pages.places.push_back(TIFFCurrentDirOffset(file.handle()));
  } while (file.next_page());
  source.at = file.last_read_at();
  if (file.failed()) pages.broken = file.message();
  if (file.has_more_pages()) add_note(source, "a file of very many pages, of which the first 16384 are read");
  return pages;
}

}  // namespace torsor::formats
