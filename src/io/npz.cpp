#include "io/npz.h"

#include <ATen/core/TensorBody.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "io/describe.h"
#include "io/raw_tensor.h"
#include "io/zip.h"

namespace torsor {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct NpyHeader {
  std::string dtype;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

// Reads the Python dict literal of a .npy header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3),
// }. The format: numpy/lib/format.py.
class HeaderParser {
 public:
  /// The header begins at byte `begins_at` of the array.
  HeaderParser(std::string_view text, std::size_t begins_at, const std::string& what)
      : text_(text), ends_at_(begins_at + text.size()), what_(what) {}

  NpyHeader parse() {
    NpyHeader header;
    std::array<bool, 3> given{};
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr")
        given[0] = true, header.dtype = descr();
      else if (key == "fortran_order")
        given[1] = true, header.fortran_order = boolean();
      else if (key == "shape")
        given[2] = true, header.shape = tuple();
      else
        damaged();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!(given[0] && given[1] && given[2])) damaged();
    return header;
  }

 private:
  [[noreturn]] void damaged() const {
    fail("{} is damaged: its array header cannot be read at byte {}", what_, ends_at_ - text_.size());
  }

  void skip_space() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }

  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) damaged();
  }

  std::string quoted() {
    skip_space();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) damaged();
    const std::size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) damaged();
    const std::string inside(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return inside;
  }

  std::string descr() {
    skip_space();
    if (text_.starts_with('[')) fail("{} is a structured array, expected plain numbers", what_);
    return quoted();
  }

  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}})
      if (text_.starts_with(word)) return text_.remove_prefix(word.size()), value;
    damaged();
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> numbers;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
      if (error != std::errc()) damaged();
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      accept('L');  // Python 2 writes long integers so
      numbers.push_back(number);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  std::string_view text_;  // what is left
  std::size_t ends_at_;
  const std::string& what_;
};

at::ScalarType dtype_of(std::string_view descr, const std::string& what) {
  constexpr std::array<std::pair<std::string_view, at::ScalarType>, 9> kDtypes = {{{"f8", at::kDouble},
                                                                                   {"f4", at::kFloat},
                                                                                   {"f2", at::kHalf},
                                                                                   {"i8", at::kLong},
                                                                                   {"i4", at::kInt},
                                                                                   {"i2", at::kShort},
                                                                                   {"i1", at::kChar},
                                                                                   {"u1", at::kByte},
                                                                                   {"b1", at::kBool}}};
  for (const auto& [name, dtype] : kDtypes) {
    const char order = descr.empty() ? '?' : descr.front();
    const bool readable = order == '<' || (order == '|' && c10::elementSize(dtype) == 1);
    if (readable && descr.substr(1) == name) return dtype;
  }
  fail("{} has the type '{}', expected little-endian f8 f4 f2 i8 i4 i2 i1 u1 or b1", what, printable(descr));
}

// Splits off the header; `bytes` becomes the data.
NpyHeader take_header(std::string_view& bytes, const std::string& what) {
  constexpr std::size_t kPrefix = 8;  // magic, major and minor version
  if (bytes.size() < kPrefix || !bytes.starts_with(kMagic)) fail("{} is not a NumPy array", what);
  const int major = static_cast<unsigned char>(bytes[6]);
  if (major < 1 || major > 3) fail("{} is a NumPy array of version {}, expected 1 to 3", what, major);
  const std::size_t width = major == 1 ? 2 : 4;
  const auto truncated = [&](std::size_t at) {
    fail("{} is truncated at byte {}, inside its header", what, at);
  };
  if (bytes.size() < kPrefix + width) truncated(bytes.size());
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + kPrefix, width);
  bytes.remove_prefix(kPrefix + width);
  if (bytes.size() < length) truncated(kPrefix + width + bytes.size());
  const NpyHeader header = HeaderParser(bytes.substr(0, length), kPrefix + width, what).parse();
  bytes.remove_prefix(length);
  return header;
}

at::Tensor parse_npy(std::string_view bytes, const std::string& what) {
  const std::size_t whole = bytes.size();
  NpyHeader header = take_header(bytes, what);
  const at::ScalarType dtype = dtype_of(header.dtype, what);
  const std::optional<std::int64_t> count = count_elements(header.shape);
  if (!count) fail("{} is damaged: its shape {} is impossible", what, shape_text(header.shape));
  const std::uint64_t size = static_cast<std::uint64_t>(*count) * c10::elementSize(dtype);
  if (bytes.size() != size)
    fail("{} is damaged: it has {} bytes of data from byte {} on, expected {}", what, bytes.size(),
         whole - bytes.size(), size);
  if (header.fortran_order) std::reverse(header.shape.begin(), header.shape.end());
  at::Tensor out = allocate_tensor(header.shape, dtype, what);
  std::copy(bytes.begin(), bytes.end(), static_cast<char*>(out.data_ptr()));
  settle_bools(out);
  if (!header.fortran_order) return out;
  // Fortran order is C order of the reversed axes.
  std::vector<std::int64_t> axes(header.shape.size());
  std::iota(axes.rbegin(), axes.rend(), 0);
  return out.permute(axes).contiguous();
}

}  // namespace

TensorMap read_npz(const std::filesystem::path& path) {
  weight_file_size(path);
  const std::string bytes = read_file(path);
  const std::string source = path.string();
  const std::string_view head = bytes;
  const bool is_zip =
      head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06");  // the latter: no entries
  if (!is_zip) fail("{}: is not a NumPy archive ({})", source, describe_content(head));
  const ZipArchive archive(bytes, source);
  TensorMap tensors;
  for (const ZipArchive::Entry& entry : archive.entries()) {
    constexpr std::string_view kSuffix = ".npy";
    const std::string what = fmt::format("{}: array '{}'", source, printable(entry.name));
    if (!entry.name.ends_with(kSuffix))
      fail("{}: is not a NumPy archive (it holds '{}')", source, printable(entry.name));
    tensors.emplace_back(entry.name.substr(0, entry.name.size() - kSuffix.size()),
                         parse_npy(archive.read(entry), what));
  }
  return tensors;
}

}  // namespace torsor
