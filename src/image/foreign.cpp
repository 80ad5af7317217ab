#include "image/foreign.h"

#include <algorithm>
#include <string_view>

#include "core/text.h"

namespace torsor {

namespace {

using namespace std::string_view_literals;
using Bytes = std::string_view;

// The characters at `at`, fewer or none where the bytes end.
Bytes part(Bytes bytes, std::size_t at, std::size_t size) {
  return bytes.substr(std::min(at, bytes.size()), size);
}

// ISO base media files name what they are behind "ftyp"; HEIF and AVIF call themselves mif1 or msf1 too and
// give the kind among the compatible brands that follow.
bool has_brand(Bytes bytes, std::initializer_list<Bytes> brands) {
  if (part(bytes, 4, 4) != "ftyp") return false;
  const std::size_t end = std::min<std::size_t>(64, bytes.size());
  for (std::size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4)
    if (std::find(brands.begin(), brands.end(), bytes.substr(at, 4)) != brands.end()) return true;
  return false;
}

bool is_avif(Bytes bytes) { return has_brand(bytes, {"avif", "avis"}); }
bool is_heif(Bytes bytes) {
  return has_brand(bytes, {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"});
}
bool is_video(Bytes bytes) {
  return part(bytes, 4, 4) == "ftyp" || bytes.starts_with("\x1A\x45\xDF\xA3") ||
         (bytes.starts_with("RIFF") && part(bytes, 8, 4) == "AVI ");
}

bool is_jpeg2000(Bytes bytes) {
  return bytes.starts_with("\0\0\0\x0CjP  \r\n\x87\n"sv) || bytes.starts_with("\xFF\x4F\xFF\x51");
}
bool is_jpeg_xl(Bytes bytes) {
  return bytes.starts_with("\xFF\x0A") || bytes.starts_with("\0\0\0\x0CJXL \r\n\x87\n"sv);
}
bool is_jpeg_xr(Bytes bytes) { return bytes.starts_with("II\xBC\x01"); }

bool is_raw(Bytes bytes) {
  const auto any = [&](std::initializer_list<Bytes> magics) {
    return std::any_of(magics.begin(), magics.end(), [&](Bytes magic) { return bytes.starts_with(magic); });
  };
  return has_brand(bytes, {"crx "}) || part(bytes, 8, 2) == "CR" ||
         any({"FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\0"sv, "FOVb", "\0MRM"sv}) ||
         part(bytes, 6, 8) == "HEAPCCDR";
}

bool is_svg(Bytes bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  return bytes.starts_with("<svg") || ((bytes.starts_with("<?xml") || bytes.starts_with("<!DOCTYPE svg")) &&
                                       bytes.find("<svg") != Bytes::npos);
}

template <std::size_t size>
struct Magic {
  char bytes[size];
  constexpr Magic(const char (&text)[size]) { std::copy_n(text, size, bytes); }
};

template <Magic magic>
bool begins(Bytes bytes) {
  return bytes.starts_with(Bytes(magic.bytes, sizeof magic.bytes - 1));
}

bool is_radiance(Bytes bytes) { return bytes.starts_with("#?RADIANCE") || bytes.starts_with("#?RGBE"); }
bool is_dicom(Bytes bytes) { return part(bytes, 128, 4) == "DICM"; }

constexpr const char* kImageMagick = "convert (Debian: imagemagick)";

const std::vector<ForeignFormat>& all() {
  static const std::vector<ForeignFormat> formats = {
      {"an AVIF", {"avif", "avifs"}, is_avif, "avifdec (Debian: libavif-bin)"},
      {"a camera's raw file",
       {"dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "orf", "rw2", "raf", "pef",
        "srw", "x3f", "3fr", "dcr", "kdc", "mrw", "rwl", "iiq", "erf", "mef", "mos", "raw"},
       is_raw,
       "dcraw -w -T (Debian: dcraw)"},
      {"a HEIC (HEIF)",
       {"heic", "heif", "heics", "heifs", "hif"},
       is_heif,
       "heif-convert (Debian: libheif-examples)"},
      {"a GIF", {"gif"}, begins<"GIF8">, kImageMagick},
      {"a JPEG 2000",
       {"jp2", "j2k", "jpf", "jpx", "jpm", "j2c", "jpc", "jph"},
       is_jpeg2000,
       "opj_decompress (Debian: libopenjp2-tools)"},
      {"a JPEG XL", {"jxl"}, is_jpeg_xl, "djxl (Debian: libjxl-tools)"},
      {"a JPEG XR", {"jxr", "wdp", "hdp"}, is_jpeg_xr, "JxrDecApp (Debian: libjxr-tools)"},
      {"a JPEG-LS", {"jls"}, nullptr, "dcmdjpls (Debian: dcmtk) or ffmpeg"},
      {"a Photoshop file", {"psd", "psb"}, begins<"8BPS">, kImageMagick},
      {"a GIMP file", {"xcf"}, begins<"gimp xcf">, kImageMagick},
      {"an OpenEXR", {"exr"}, begins<"\x76\x2F\x31\x01">, kImageMagick},
      {"a Radiance picture", {"hdr", "rgbe"}, is_radiance, kImageMagick},
      {"an SVG drawing", {"svg", "svgz"}, is_svg, "rsvg-convert (Debian: librsvg2-bin)"},
      {"a PostScript drawing", {"eps", "ps"}, begins<"%!PS">, "gs (Debian: ghostscript)"},
      {"a DICOM file", {"dcm", "dicom"}, is_dicom, "dcmj2pnm (Debian: dcmtk)"},
      {"a Targa picture", {"tga", "icb", "vda", "vst"}, nullptr, kImageMagick},
      {"an icon", {"ico", "cur", "icns"}, begins<"\0\0\1\0">, kImageMagick},
      {"a DDS texture", {"dds"}, begins<"DDS ">, kImageMagick},
      {"a QOI", {"qoi"}, begins<"qoif">, "ffmpeg (Debian: ffmpeg)"},
      {"a PBM, PAM or PFM", {"pbm", "pam", "pfm"}, nullptr, kImageMagick},
      {"a FITS file", {"fits", "fit", "fts"}, begins<"SIMPLE  =">, kImageMagick},
      {"an image of another program",
       {"pcx", "xbm", "xpm", "sgi", "ras", "wmf", "emf", "bpg", "flif", "pict", "pct"},
       nullptr,
       kImageMagick},
      {"a PDF", {}, begins<"%PDF">, "pdftoppm (Debian: poppler-utils)"},
      {"a video", {}, is_video, "ffmpeg (Debian: ffmpeg)"},
      {"a ZIP archive", {}, begins<"PK\x03\x04">, ""},
  };
  return formats;
}

}  // namespace

const ForeignFormat* foreign_by_name(const std::filesystem::path& path) {
  const std::string dotted = path.extension().string();
  if (dotted.empty()) return nullptr;
  const std::string extension = lower(dotted.substr(1));
  for (const ForeignFormat& format : all())
    if (std::find(format.extensions.begin(), format.extensions.end(), extension) != format.extensions.end())
      return &format;
  return nullptr;
}

const ForeignFormat* foreign_by_content(std::string_view bytes) {
  for (const ForeignFormat& format : all())
    if (format.matches != nullptr && format.matches(bytes)) return &format;
  return nullptr;
}

std::string conversion_of(const ForeignFormat& format) {
  return format.program.empty() ? "take the images out of it" : "convert it with " + format.program;
}

}  // namespace torsor
