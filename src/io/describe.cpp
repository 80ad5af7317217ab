#include "io/describe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view start;
  std::string_view kind;
};

constexpr std::array kSignatures = {
    Signature{"\xff\xd8\xff"sv, "a JPEG image"},
    Signature{"\x89PNG"sv, "a PNG image"},
    Signature{"GIF8"sv, "a GIF image"},
    Signature{"BM"sv, "a BMP image"},
    Signature{"II*\0"sv, "a TIFF image"},
    Signature{"MM\0*"sv, "a TIFF image"},
    Signature{"\x89HDF"sv, "an HDF5 file (Keras weights?)"},
    Signature{"\x93NUMPY"sv, "a single NumPy array (.npy)"},
    Signature{"PK\x03\x04"sv, "a zip archive (.pth, .npz and others)"},
    Signature{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv, "a PyTorch weight file"},
    Signature{"\x80\x02"sv, "a bare Python pickle"},
    Signature{"\x80\x03"sv, "a bare Python pickle"},
    Signature{"\x80\x04"sv, "a bare Python pickle"},
    Signature{"\x80\x05"sv, "a bare Python pickle"},
    Signature{"\x1f\x8b"sv, "a gzip archive; unpack it first"},
    Signature{"7z\xbc\xaf\x27\x1c"sv, "a 7z archive; unpack it first"},
    Signature{"version https://git-lfs"sv, "a Git LFS pointer; run 'git lfs pull' for the file itself"},
};

bool looks_like_safetensors(std::string_view head) {
  // A little-endian header length below 2^32, then the header's opening brace.
  return head.size() > 8 && head.substr(4, 4) == "\0\0\0\0"sv && head[8] == '{';
}

// A ModelProto starts with ir_version (field 1, a small number) and then a length-delimited field or opset.
bool looks_like_onnx(std::string_view head) {
  return head.size() > 3 && head[0] == '\x08' && head[1] > 0 && head[1] < 32 &&
         (head[2] == '\x12' || head[2] == '\x3a' || head[2] == '\x42');
}

bool looks_like_text(std::string_view head) {
  return !head.empty() && std::all_of(head.begin(), head.end(), [](unsigned char c) {
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
}

std::string kind_of(std::string_view head) {
  for (const Signature& signature : kSignatures)
    if (head.starts_with(signature.start)) return std::string(signature.kind);
  if (head.starts_with("RIFF") && head.size() >= 12 && head.substr(8, 4) == "WEBP") return "a WebP image";
  if (head.size() >= 262 && head.substr(257, 5) == "ustar") return "a tar archive; unpack it first";
  if (looks_like_safetensors(head)) return "a safetensors file";
  if (looks_like_onnx(head)) return "an ONNX model";
  if (!looks_like_text(head)) return "";
  const std::string text = lower(head.substr(0, 256));
  if (text.find("<html") != std::string::npos || text.find("<!doctype") != std::string::npos)
    return "a web page (a download that went wrong?)";
  return "a text file";
}

}  // namespace

std::string describe_content(std::string_view head) {
  const std::string kind = kind_of(head.substr(0, 512));
  if (!kind.empty()) return "looks like " + kind;
  std::string bytes;
  for (unsigned char c : head.substr(0, 8)) bytes += fmt::format(" {:02x}", c);
  return "starts with" + bytes;
}

std::uintmax_t weight_file_size(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code ec;
  const fs::file_status status = fs::status(path, ec);
  if (status.type() == fs::file_type::not_found) fail("{}: no such file", path.string());
  if (fs::is_directory(status)) fail("{}: is a folder, expected a file", path.string());
  if (!fs::is_regular_file(status)) fail("{}: is not a plain file", path.string());
  const std::uintmax_t size = fs::file_size(path, ec);
  if (ec) fail("{}: cannot be read: {}", path.string(), ec.message());
  if (size == 0) fail("{}: is empty; copy or download it again", path.string());
  return size;
}

}  // namespace torsor
