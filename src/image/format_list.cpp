#include "image/format_list.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "image/foreign.h"

namespace torsor::formats {

namespace {

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }
bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1A\n"); }
bool is_bmp(std::string_view bytes) { return bytes.starts_with("BM"); }

bool is_webp(std::string_view bytes) {
  return bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP";
}

bool is_tiff(std::string_view bytes) {
  const std::string_view magic = bytes.substr(0, 4);
  using namespace std::string_view_literals;
  return magic == "II*\0"sv || magic == "MM\0*"sv || magic == "II+\0"sv || magic == "MM\0+"sv;
}

bool is_pnm(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         std::string_view(" \t\r\n#").find(bytes[2]) != std::string_view::npos;
}

bool is_npy(std::string_view bytes) { return bytes.starts_with("\x93NUMPY"); }

}  // namespace

const std::vector<Format>& all_formats() {
  using enum PixelType;
  using enum Profiles;
  static const std::vector<Format> formats = {
      {"JPEG",
       {"jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "mpo"},
       {1, 3},
       {u8},
       held,
       is_jpeg,
       jpeg_header,
       decode_jpeg,
       encode_jpeg},
      {"PNG", {"png", "apng"}, {1, 2, 3, 4}, {u8, u16}, held, is_png, png_header, decode_png, encode_png},
      {"BMP", {"bmp", "dib"}, {1, 3}, {u8}, none, is_bmp, bmp_header, decode_bmp, encode_bmp},
      {"WebP", {"webp"}, {1, 3, 4}, {u8}, held, is_webp, webp_header, decode_webp, encode_webp},
      {"TIFF",
       {"tif", "tiff", "btf"},
       {kAnyChannels},
       {u8, u16, f32},
       held,
       is_tiff,
       tiff_header,
       decode_tiff,
       encode_tiff,
       find_tiff_pages,
       make_tiff_encoder},
      {"PPM/PGM", {"ppm", "pgm", "pnm"}, {1, 3}, {u8, u16}, none, is_pnm, pnm_header, decode_pnm, encode_pnm},
      {"NPY", {"npy"}, {kAnyChannels}, {u8, u16, f32}, none, is_npy, npy_header, decode_npy, encode_npy},
  };
  return formats;
}

const Format* find_format(std::string_view bytes) {
  for (const Format& format : all_formats())
    if (format.matches(bytes)) return &format;
  return nullptr;
}

const Format& format_of(const Source& source) {
  if (source.bytes.empty())
    fail("{}: the file is empty (0 bytes), expected an image; replace or remove the file", source.name);
  if (const ForeignFormat* foreign = foreign_by_content(source.bytes); foreign != nullptr)
    fail("{}: is {}, expected {}; {}, or remove the file", source.name, foreign->title, all_titles(),
         conversion_of(*foreign));
  if (const Format* format = find_format(source.bytes); format != nullptr) return *format;
  fail("{}: not an image: the content is none of {}; replace or remove the file", source.name, all_titles());
}

const Format* find_format_named(const std::string& extension) {
  const std::string wanted = lower(extension);
  for (const Format& format : all_formats())
    if (std::find(format.extensions.begin(), format.extensions.end(), wanted) != format.extensions.end())
      return &format;
  return nullptr;
}

std::string all_titles() {
  std::vector<std::string> titles;
  for (const Format& format : all_formats()) titles.emplace_back(format.title);
  return join(titles);
}

}  // namespace torsor::formats
