// TIFF by libtiff, compressed by deflate, one page or several.
#include <cstring>
#include <vector>

#include "core/error.h"
#include "image/formats.h"
#include "image/tiff_file.h"

namespace torsor::formats {

namespace {

// Offsets of 32 bits, with room for what does not shrink.
constexpr std::uint64_t kClassicLimit = 0xE0000000;

// The tag is not among those that libtiff knows.
void set_no_data(TIFF* tiff, double value) {
  static const TIFFFieldInfo field = {kNoDataTag,   -1, -1, TIFF_ASCII,
                                      FIELD_CUSTOM, 1,  0,  const_cast<char*>("GDAL_NODATA")};
  if (TIFFMergeFieldInfo(tiff, &field, 1) == 0)
    TIFFSetField(tiff, kNoDataTag, fmt::format("{}", value).c_str());
}

void set_tags(TIFF* tiff, const Image& image) {
  const bool is_float = image.type == PixelType::f32;
  const bool is_colour = image.channels == 3 || (image.channels == 4 && image.has_alpha());
  const int extra = static_cast<int>(image.channels) - (is_colour ? 3 : 1);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(image.width));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(image.height));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * bytes_per_sample(image.type)));
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(image.channels));
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, is_colour ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(tiff, TIFFTAG_PREDICTOR, is_float ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(tiff, 0));
  if (extra > 0) {
    const std::uint16_t kind = image.has_alpha() ? EXTRASAMPLE_UNASSALPHA : EXTRASAMPLE_UNSPECIFIED;
    const std::vector<std::uint16_t> kinds(static_cast<std::size_t>(extra), kind);
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, extra, kinds.data());
  }
  if (image.no_data) set_no_data(tiff, *image.no_data);
  if (image.profile != nullptr)
    TIFFSetField(tiff, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(image.profile->size()),
                 image.profile->data());
}

bool write_rows(TIFF* tiff, const Image& image) {
  // The predictor works in place, hence the copy.
  std::vector<std::uint8_t> row(image.bytes.size() / static_cast<std::size_t>(image.height));
  for (std::uint32_t y = 0; y < image.height; ++y) {
    std::memcpy(row.data(), image.bytes.data() + y * row.size(), row.size());
    if (TIFFWriteScanline(tiff, row.data(), y, 0) != 1) return false;
  }
  return true;
}

class TiffEncoder : public PageEncoder {
 public:
  TiffEncoder(std::int64_t pages, const std::string& name) : pages_(pages), name_(name) {}

  void add(const Image& image) override {
    if (file_ == nullptr) open(image);
    set_tags(file_->handle(), image);
    if (pages_ > 1) {
      TIFFSetField(file_->handle(), TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
      TIFFSetField(file_->handle(), TIFFTAG_PAGENUMBER, static_cast<int>(added_ & 0xFFFF),
                   static_cast<int>(pages_ & 0xFFFF));
    }
    ++added_;
    if (!write_rows(file_->handle(), image) || TIFFWriteDirectory(file_->handle()) != 1) not_written();
  }

  std::string finish() override {
    file_->close();
    if (file_->failed()) not_written();
    file_ = nullptr;
    return std::move(out_);
  }

 private:
  // The first page stands for the size of all.
  void open(const Image& first) {
    const bool is_big = first.bytes.size() > kClassicLimit / static_cast<std::uint64_t>(pages_);
    file_ = std::make_unique<TiffFile>(out_, is_big ? "w8" : "w");
    if (file_->handle() == nullptr) not_written();
  }

  [[noreturn]] void not_written() const {
    fail("{}: cannot be written as TIFF: {}", name_, file_->message());
  }

  const std::int64_t pages_;
  const std::string name_;
  std::int64_t added_ = 0;
  std::string out_;
  std::unique_ptr<TiffFile> file_;  // writes to out_
};

}  // namespace

std::unique_ptr<PageEncoder> make_tiff_encoder(std::int64_t pages, const std::string& name) {
  return std::make_unique<TiffEncoder>(pages, name);
}

std::string encode_tiff(const Image& image, const std::string& name, const EncodeOptions&) {
  TiffEncoder encoder(1, name);
  encoder.add(image);
  return encoder.finish();
}

}  // namespace torsor::formats
