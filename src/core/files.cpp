#include "core/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace torsor {

namespace {

std::string system_reason(int code) { return std::strerror(code); }

class FileDescriptor {
 public:
  FileDescriptor(const fs::path& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags, mode)) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  bool good() const { return fd_ >= 0; }
  // close can report a delayed write error (quota, network file systems), so its result counts.
  bool close() {
    if (fd_ < 0) return true;
    const bool ok = ::close(fd_) == 0;
    fd_ = -1;
    return ok;
  }

 private:
  int fd_;
};

bool write_all(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

constexpr std::string_view kTemporaryEnd = ".torsor-tmp";

// At most so many bytes, and no character cut in two: some file systems refuse names that are not UTF-8.
std::string beginning_of(const std::string& name) {
  constexpr std::size_t kMostBytes = 100;  // where 255 are allowed, and 143 where names are encrypted
  if (name.size() <= kMostBytes) return name;
  std::size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end);
}

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};  // only makes names unique within the process
  return path.parent_path() / fmt::format(".{}.{}.{}{}", beginning_of(path.filename().string()), ::getpid(),
                                          counter.fetch_add(1), kTemporaryEnd);
}

// The rename is permanent only when the folder is. Some file systems cannot sync one (EINVAL).
void sync_folder(const fs::path& path) {
  const fs::path folder = path.parent_path();
  FileDescriptor dir(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir.good() && ::fsync(dir.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    fail("{}: is written, but may not outlast a power failure: its folder cannot be synced: {}",
         path.string(), system_reason(errno));
}

// Gathers small pieces, so that a file of many is not as many calls of the system.
class BufferedWriter {
 public:
  explicit BufferedWriter(int fd) : fd_(fd) {}

  bool write(const void* data, std::size_t size) {
    if (buffer_.size() + size <= kBufferBytes) {
      buffer_.append(static_cast<const char*>(data), size);
      return true;
    }
    return flush() && write_all(fd_, data, size);
  }

  bool flush() {
    const bool good = write_all(fd_, buffer_.data(), buffer_.size());
    buffer_.clear();
    return good;
  }

 private:
  static constexpr std::size_t kBufferBytes = 1 << 16;
  int fd_;
  std::string buffer_;
};

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code ec;
  if (fs::is_directory(path, ec)) fail("{}: is a folder, expected a file", path.string());
  FileDescriptor file(path, O_RDONLY | O_CLOEXEC);
  if (!file.good()) fail("{}: cannot be read: {}", path.string(), system_reason(errno));
  std::string bytes;
  const auto size = fs::file_size(path, ec);
  if (!ec) bytes.reserve(size);
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("{}: cannot be read: {}", path.string(), system_reason(errno));
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
}

void write_file_atomically(const fs::path& path, const std::function<void(const ByteSink&)>& write) {
  const fs::path temporary = temporary_name(path);
  FileDescriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (!file.good())
    fail("{}: cannot be written: {}; choose a folder you can write to", path.string(), system_reason(errno));
  const auto give_up = [&](int code) {
    file.close();
    ::unlink(temporary.c_str());
    fail("{}: could not be written: {}; nothing that was there before has been changed", path.string(),
         system_reason(code));
  };
  BufferedWriter writer(file.get());
  try {
    write([&](const void* data, std::size_t size) {
      if (!writer.write(data, size)) give_up(errno);
    });
  } catch (...) {
    file.close();
    ::unlink(temporary.c_str());
    throw;
  }
  if (!writer.flush() || ::fsync(file.get()) != 0) give_up(errno);
  if (!file.close()) give_up(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up(errno);
  sync_folder(path);
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_file_atomically(path, [&](const ByteSink& sink) { sink(bytes.data(), bytes.size()); });
}

bool is_temporary_name(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') && name.ends_with(kTemporaryEnd);
}

namespace {

[[noreturn]] void fail_folder(const fs::path& path, const std::string& reason) {
  fail("{}: cannot make this folder: {}; choose a folder you can write to", path.string(), reason);
}

// The folder itself or the nearest above it that is there. Throws for one that cannot be entered or is none.
fs::path nearest_there(const fs::path& folder) {
  std::error_code ec;
  fs::path at = fs::absolute(folder, ec).lexically_normal();
  while (!fs::exists(at, ec) && at.has_relative_path()) {
    if (ec && ec != std::errc::no_such_file_or_directory && ec != std::errc::not_a_directory)
      fail_folder(folder, ec.message());
    at = at.parent_path();
  }
  if (!fs::is_directory(at, ec)) fail_folder(folder, at.string() + " is not a folder");
  return at;
}

}  // namespace

void require_writable(const fs::path& folder) {
  const fs::path there = nearest_there(folder);
  const fs::path probe = temporary_name(there / "probe");
  FileDescriptor file(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  const auto give_up = [&](int code) {
    file.close();
    ::unlink(probe.c_str());
    std::error_code ec;
    if (!fs::exists(folder, ec)) fail_folder(folder, system_reason(code));
    fail("{}: cannot be written: {}; choose a folder you can write to", folder.string(), system_reason(code));
  };
  if (!file.good()) give_up(errno);
  // An empty file has room on a full disk.
  const std::string block(1 << 16, '\0');
  if (!write_all(file.get(), block.data(), block.size()) || ::fsync(file.get()) != 0) give_up(errno);
  if (!file.close()) give_up(errno);
  ::unlink(probe.c_str());
}

void make_folder(const fs::path& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) fail_folder(path, ec.message());
  if (!fs::is_directory(path, ec)) fail_folder(path, "something else is there");
}

}  // namespace torsor
