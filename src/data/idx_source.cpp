#include "data/idx_source.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMaxSide = 1 << 16;
constexpr std::int64_t kMaxCount = 100'000'000;
constexpr std::int64_t kClasses = 10;
constexpr std::size_t kPiece = 1 << 20;

// zlib's reader, which passes bare files through.
class GzipReader {
 public:
  explicit GzipReader(const fs::path& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) fail("{}: cannot be opened: {}", path.string(), std::strerror(errno));
  }
  ~GzipReader() { gzclose(file_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Up to `size` bytes; fewer at the end only.
  std::size_t read(void* out, std::size_t size) {
    const int got = gzread(file_, out, static_cast<unsigned>(size));
    int code = Z_OK;
    const char* reason = gzerror(file_, &code);
    // A file cut short gives what there is and Z_BUF_ERROR.
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
      fail("{}: byte {} of its content: gzip: {}; fetch the file again", path_.string(),
           at_ + std::max(got, 0),
           code == Z_ERRNO       ? std::strerror(errno)
           : code == Z_BUF_ERROR ? "the file ends early"
                                 : reason);
    at_ += got;
    return static_cast<std::size_t>(got);
  }

 private:
  fs::path path_;
  gzFile file_;
  std::int64_t at_ = 0;
};

std::int64_t big_endian(const std::uint8_t* p) {
  return std::int64_t{p[0]} << 24 | std::int64_t{p[1]} << 16 | std::int64_t{p[2]} << 8 | std::int64_t{p[3]};
}

// The sides, checked so that their product cannot overflow.
std::vector<std::int64_t> read_header(GzipReader& reader, const fs::path& path, std::size_t dimensions) {
  std::array<std::uint8_t, 16> head{};
  const std::size_t size = 4 + 4 * dimensions, got = reader.read(head.data(), size);
  if (got >= 4 && (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != dimensions))
    fail("{}: byte 0: not an IDX file of bytes in {} dimensions (expected 0 0 8 {}, found {} {} {} {})",
         path.string(), dimensions, dimensions, head[0], head[1], head[2], head[3]);
  if (got != size)
    fail("{}: byte {}: ends inside its header of {} bytes; fetch the file again", path.string(), got, size);
  std::vector<std::int64_t> sides;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const std::int64_t side = big_endian(head.data() + 4 + 4 * d), most = d == 0 ? kMaxCount : kMaxSide;
    if (side < 1 || side > most)
      fail("{}: byte {}: side {} is {}; expected 1 to {}", path.string(), 4 + 4 * d, d + 1, side, most);
    sides.push_back(side);
  }
  return sides;
}

class IdxSource : public LabelledSource {
 public:
  IdxSource(std::string name, IdxFile images, std::vector<std::uint8_t> labels, std::int64_t count)
      : name_(std::move(name)), images_(std::move(images)), labels_(std::move(labels)), count_(count) {}

  std::int64_t size() const override { return count_; }
  std::string name(std::int64_t index) const override { return fmt::format("{}_{:05}.png", name_, index); }

  std::int64_t label(std::int64_t index) const override {
    if (labels_.empty()) fail("{}: was opened without labels", name_);
    return labels_[static_cast<std::size_t>(index)];
  }

  Image read(std::int64_t index) const override {
    if (index < 0 || index >= count_)
      fail("{}: there is no image {}; ask for 0 to {}", name_, index, count_ - 1);
    const std::int64_t rows = images_.sides[1], columns = images_.sides[2];
    Image image = Image::blank(columns, rows, 1);
    std::copy_n(images_.bytes.begin() + index * rows * columns, rows * columns, image.u8());
    return image;
  }

 private:
  std::string name_;
  IdxFile images_;
  std::vector<std::uint8_t> labels_;
  std::int64_t count_;
};

}  // namespace

IdxFile read_idx(const fs::path& path, std::size_t dimensions) {
  if (fs::is_directory(path)) fail("{}: is a folder; expected an IDX file", path.string());
  GzipReader reader(path);
  IdxFile file;
  file.sides = read_header(reader, path, dimensions);
  std::size_t wanted = 1;
  for (const std::int64_t side : file.sides) wanted *= static_cast<std::size_t>(side);
  // Piece by piece: a header alone cannot make it take memory.
  while (file.bytes.size() < wanted) {
    const std::size_t before = file.bytes.size(), piece = std::min(kPiece, wanted - before);
    file.bytes.resize(before + piece);
    const std::size_t got = reader.read(file.bytes.data() + before, piece);
    if (got < piece)
      fail("{}: byte {}: ends early; its header promises {} bytes after it; fetch the file again",
           path.string(), 4 + 4 * dimensions + before + got, wanted);
  }
  std::uint8_t more = 0;
  if (reader.read(&more, 1) != 0)
    fail("{}: byte {}: goes on after the {} bytes that its header promises", path.string(),
         4 + 4 * dimensions + wanted, wanted);
  return file;
}

fs::path find_idx(const fs::path& folder, const std::string& split, const std::string& content) {
  const std::string kind = content == "images" ? "idx3-ubyte" : "idx1-ubyte";
  for (const char* join : {"-", "."})
    for (const char* end : {".gz", ""}) {
      const fs::path path = folder / (split + "-" + content + join + kind + end);
      std::error_code ec;
      if (fs::is_regular_file(path, ec)) return path;
    }
  return {};
}

std::unique_ptr<LabelledSource> open_idx(const fs::path& images, const fs::path& labels, std::int64_t limit) {
  IdxFile pictures = read_idx(images, 3);
  std::vector<std::uint8_t> classes;
  const std::int64_t count = pictures.sides[0];
  if (!labels.empty()) {
    IdxFile file = read_idx(labels, 1);
    if (file.sides[0] != count)
      fail("{}: holds {} labels, {} {} images; they do not belong together", labels.string(), file.sides[0],
           images.string(), count);
    classes = std::move(file.bytes);
    const auto bad =
        std::find_if(classes.begin(), classes.end(), [](std::uint8_t c) { return c >= kClasses; });
    if (bad != classes.end())
      fail("{}: byte {}: label {}; expected 0 to {}", labels.string(), 8 + (bad - classes.begin()), *bad,
           kClasses - 1);
  }
  return std::make_unique<IdxSource>(images.filename().string(), std::move(pictures), std::move(classes),
                                     limit > 0 ? std::min(limit, count) : count);
}

}  // namespace torsor
