#include "image/tiff_file.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>

namespace torsor::formats {

namespace {

constexpr tmsize_t kMaxAllocation = tmsize_t{1} << 31;  // against forged sizes

}  // namespace

TiffFile::TiffFile(std::string_view bytes) : in_(bytes) { open("r"); }

TiffFile::TiffFile(std::string& out, const char* mode) : out_(&out) { open(mode); }

void TiffFile::open(const char* mode) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options, judge_warning, this);
  tiff_ = TIFFClientOpenExt("TIFF", mode, this, read, write, seek, close_nothing, size, nullptr, nullptr,
                            options);
  TIFFOpenOptionsFree(options);
}

void TiffFile::close() {
  if (tiff_ != nullptr) TIFFClose(tiff_);
  tiff_ = nullptr;
}

tmsize_t TiffFile::read(thandle_t handle, void* to, tmsize_t size) {
  TiffFile& file = self(handle);
  const std::string_view bytes = file.out_ != nullptr ? std::string_view(*file.out_) : file.in_;
  if (size <= 0 || file.at_ >= bytes.size()) return 0;
  const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(size), bytes.size() - file.at_);
  std::memcpy(to, bytes.data() + file.at_, count);
  file.at_ += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t TiffFile::write(thandle_t handle, void* from, tmsize_t size) {
  TiffFile& file = self(handle);
  if (file.out_ == nullptr || size <= 0) return 0;
  const std::size_t end = file.at_ + static_cast<std::size_t>(size);
  try {
    if (end > file.out_->size()) file.out_->resize(end);
  } catch (const std::bad_alloc&) {
    return 0;  // libtiff turns this into an error; exceptions must not cross it
  }
  std::memcpy(file.out_->data() + file.at_, from, static_cast<std::size_t>(size));
  file.at_ = end;
  return size;
}

toff_t TiffFile::seek(thandle_t handle, toff_t offset, int whence) {
  TiffFile& file = self(handle);
  const std::uint64_t base = whence == SEEK_CUR ? file.at_ : whence == SEEK_END ? size(handle) : 0;
  file.at_ = base + offset;
  return file.at_;
}

toff_t TiffFile::size(thandle_t handle) {
  const TiffFile& file = self(handle);
  return file.out_ != nullptr ? file.out_->size() : file.in_.size();
}

int TiffFile::keep_error(TIFF*, void* file, const char*, const char* format, va_list arguments) {
  auto* self = static_cast<TiffFile*>(file);
  if (!self->failed()) std::vsnprintf(self->message_, sizeof self->message_, format, arguments);
  return 1;
}

// Most warnings are about tags of no concern. But libtiff also only warns when a tag lies behind the end of a
// truncated file, and then goes on without it: a palette picture would come back as grey.
int TiffFile::judge_warning(TIFF* tiff, void* file, const char* module, const char* format,
                            va_list arguments) {
  char line[sizeof message_];
  va_list copy;
  va_copy(copy, arguments);
  std::vsnprintf(line, sizeof line, format, copy);
  va_end(copy);
  const std::string_view text(line);
  if (text.starts_with("IO error") || text.find("ColorMap") != std::string_view::npos)
    keep_error(tiff, file, module, format, arguments);
  return 1;
}

}  // namespace torsor::formats
