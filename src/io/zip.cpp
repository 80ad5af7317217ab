#include "io/zip.h"

#include <zip.h>

#include <exception>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

// Deflate cannot do better than this: 258 bytes from two bits.
constexpr std::uint64_t kMaxDeflateRatio = 1032;

struct FileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() { return &error_; }

 private:
  zip_error_t error_;
};

// Where the record stands that ends an archive and says where its directory is; where it ought to, when there
// is none.
std::size_t directory_end(std::string_view bytes) {
  const std::size_t found = bytes.rfind("PK\x05\x06");
  return found == std::string_view::npos ? bytes.size() : found;
}

zip* open_archive(std::string_view bytes, const std::string& source) {
  ZipError error;
  zip_source_t* buffer = zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get());
  if (buffer == nullptr) fail("{}: {}", source, zip_error_strerror(error.get()));
  zip* archive = zip_open_from_source(buffer, ZIP_RDONLY, error.get());
  if (archive != nullptr) return archive;
  const std::string reason = zip_error_strerror(error.get());
  zip_source_free(buffer);
  fail(
      "{}: is truncated or damaged: the zip archive's directory at its end, byte {}, is missing or wrong "
      "({}); "
      "copy or download it again",
      source, directory_end(bytes), reason);
}

bool plausible(const zip_stat_t& stat, std::uint64_t archive_size) {
  constexpr auto kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((stat.valid & kNeeded) != kNeeded || stat.comp_size > archive_size) return false;
  if (stat.comp_method == ZIP_CM_STORE) return stat.size == stat.comp_size;
  return stat.size / kMaxDeflateRatio <= stat.comp_size;
}

}  // namespace

void ZipArchive::Closer::operator()(zip* archive) const { zip_discard(archive); }

ZipArchive::ZipArchive(std::string_view bytes, std::string source)
    : source_(std::move(source)), archive_(open_archive(bytes, source_)) {
  list_entries(bytes.size());
}

void ZipArchive::list_entries(std::uint64_t archive_size) {
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  std::uint64_t packed = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW, &stat) != 0)
      fail("{}: is damaged: entry {} of its zip directory cannot be read ({})", source_, i,
           zip_strerror(archive_.get()));
    if (!plausible(stat, archive_size))
      fail("{}: is damaged: entry {} of its zip archive, '{}', claims an impossible size", source_, i,
           printable((stat.valid & ZIP_STAT_NAME) != 0 ? stat.name : ""));
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
      fail("{}: '{}' is encrypted; unpack and save it without a password", source_, printable(stat.name));
    packed += stat.comp_size;
    if (packed > archive_size)
      fail("{}: is damaged: '{}' overlaps other entries of its zip archive", source_, printable(stat.name));
    if (!by_name_.emplace(stat.name, entries_.size()).second)
      fail("{}: is damaged: its zip archive holds '{}' twice", source_, printable(stat.name));
    entries_.push_back({stat.name, static_cast<std::uint64_t>(i), stat.size});
  }
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

void ZipArchive::read(const Entry& entry, void* to) const {
  const std::unique_ptr<zip_file_t, FileCloser> file(zip_fopen_index(archive_.get(), entry.index, 0));
  if (file == nullptr)
    fail("{}: '{}' cannot be unpacked: {}", source_, printable(entry.name), zip_strerror(archive_.get()));
  std::uint64_t done = 0;
  const auto read_some = [&](void* into, std::uint64_t size) {
    const zip_int64_t n = zip_fread(file.get(), into, size);
    if (n < 0)
      fail("{}: '{}' in it is damaged, after byte {} ({}); copy or download it again", source_,
           printable(entry.name), done, zip_file_strerror(file.get()));
    return static_cast<std::uint64_t>(n);
  };
  while (done < entry.size) {
    const std::uint64_t n = read_some(static_cast<char*>(to) + done, entry.size - done);
    if (n == 0)
      fail("{}: is truncated: '{}' in it ends after byte {} of {}", source_, printable(entry.name), done,
           entry.size);
    done += n;
  }
  char beyond = 0;  // libzip compares the CRC when it reaches the end, so the end has to be read
  if (read_some(&beyond, 1) != 0)
    fail("{}: is damaged: '{}' goes on behind byte {}, where its directory says that it ends", source_,
         printable(entry.name), entry.size);
}

std::string ZipArchive::read(const Entry& entry) const {
  std::string bytes;
  try {
    bytes.resize(entry.size);
  } catch (const std::exception&) {
    fail("{}: '{}' in it needs {} of memory, which this machine does not have free", source_,
         printable(entry.name), human_bytes(static_cast<double>(entry.size)));
  }
  read(entry, bytes.data());
  return bytes;
}

}  // namespace torsor
