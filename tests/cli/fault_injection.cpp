// Preloaded into a program, makes one call of the system fail: the FAULT_AT-th (from 1) of those that make,
// write, sync, rename or close files whose path contains FAULT_PATH.
//   FAULT_KIND=EIO     that call fails
//   FAULT_KIND=ENOSPC  that call fails, and so does every later write: a full disk
//   FAULT_KIND=short   that call, when it is a write, writes half of what it was given
// FAULT_COUNT names a file that receives the number of such calls when the program ends.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

namespace {

enum class Verdict { pass, fail, halve };

class Faults {
 public:
  bool concerns(const char* path) const {
    return !where_.empty() && std::strstr(path, where_.c_str()) != nullptr;
  }
  bool concerns(int fd) {
    const std::lock_guard lock(mutex_);
    return open_.count(fd) > 0;
  }
  void opened(int fd) {
    const std::lock_guard lock(mutex_);
    open_.insert(fd);
  }
  void closed(int fd) {
    const std::lock_guard lock(mutex_);
    open_.erase(fd);
  }

  Verdict next(bool is_write) {
    const std::lock_guard lock(mutex_);
    ++count_;
    const bool now = count_ == at_;
    if (kind_ == "short") return now && is_write ? Verdict::halve : Verdict::pass;
    if (!now && !(kind_ == "ENOSPC" && is_write && at_ > 0 && count_ > at_)) return Verdict::pass;
    errno = kind_ == "ENOSPC" ? ENOSPC : EIO;
    return Verdict::fail;
  }

  ~Faults() {
    const std::string path = text("FAULT_COUNT");
    if (path.empty()) return;
    if (std::FILE* file = std::fopen(path.c_str(), "w")) {
      std::fprintf(file, "%ld", count_);
      std::fclose(file);
    }
  }

 private:
  static std::string text(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
  }

  std::string where_ = text("FAULT_PATH"), kind_ = text("FAULT_KIND");
  long at_ = std::atol(text("FAULT_AT").c_str());
  long count_ = 0;
  std::mutex mutex_;
  std::set<int> open_;
};

Faults& faults() {
  static Faults the_faults;
  return the_faults;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  static auto* const call = real<int(const char*, int, ...)>(name);
  if (!faults().concerns(path)) return call(path, flags, mode);
  if (faults().next(false) == Verdict::fail) return -1;
  const int fd = call(path, flags, mode);
  if (fd >= 0) faults().opened(fd);
  return fd;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_as("open", path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t size) {
  static auto* const call = real<ssize_t(int, const void*, size_t)>("write");
  if (!faults().concerns(fd)) return call(fd, data, size);
  switch (faults().next(true)) {
    case Verdict::fail:
      return -1;
    case Verdict::halve:
      return call(fd, data, size / 2);
    case Verdict::pass:
      break;
  }
  return call(fd, data, size);
}

int fsync(int fd) {
  static auto* const call = real<int(int)>("fsync");
  return faults().concerns(fd) && faults().next(false) == Verdict::fail ? -1 : call(fd);
}

int close(int fd) {
  static auto* const call = real<int(int)>("close");
  const bool concerned = faults().concerns(fd);
  faults().closed(fd);
  const int result = call(fd);
  return concerned && faults().next(false) == Verdict::fail ? -1 : result;
}

int rename(const char* from, const char* to) {
  static auto* const call = real<int(const char*, const char*)>("rename");
  return faults().concerns(to) && faults().next(false) == Verdict::fail ? -1 : call(from, to);
}

}  // extern "C"
