#include "image/tiff_file.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>

namespace torsor::formats {

namespace {

constexpr std::uint64_t kMostMemoryToWrite = std::uint64_t{1} << 31;
// The time that libtiff needs grows with the square of both.
constexpr int kMostPages = 1 << 14, kMostWarnings = 1000;

// What libtiff's decoders only warn of costs pixels, but for these words of libjpeg's about headers.
bool is_loss(std::string_view module, std::string_view text) {
  for (const char* harmless : {"Invalid SOS parameters", "Unknown Adobe color transform", "unknown JFIF"})
    if (text.find(harmless) != std::string_view::npos) return false;
  return module == "JPEGLib" || module.starts_with("Fax");
}

// Tags of other programs are no defect.
bool is_of_no_account(std::string_view text) { return text.starts_with("Unknown field with tag"); }

}  // namespace

TiffFile::TiffFile(std::string_view bytes, std::uint64_t most_memory) : in_(bytes) {
  constexpr std::uint64_t kFree = 1 << 16, kTimes = 2;
  may_read_ = kFree + kTimes * bytes.size();
  open("r", most_memory);
}

TiffFile::TiffFile(std::string& out, const char* mode) : out_(&out) { open(mode, kMostMemoryToWrite); }

void TiffFile::open(const char* mode, std::uint64_t most_memory) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, static_cast<tmsize_t>(most_memory));
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

bool TiffFile::next_page() {
  warnings_ = 0;
  return !failed() && ++pages_seen_ <= kMostPages && TIFFReadDirectory(tiff_) == 1;
}

bool TiffFile::has_more_pages() const { return pages_seen_ > kMostPages; }

tmsize_t TiffFile::read(thandle_t handle, void* to, tmsize_t size) {
  TiffFile& file = self(handle);
  const bool writes = file.out_ != nullptr;
  const std::string_view bytes = writes ? std::string_view(*file.out_) : file.in_;
  file.last_read_at_ = file.at_;
  if (size <= 0 || file.at_ >= bytes.size()) return 0;
  const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(size), bytes.size() - file.at_);
  if (!writes) {
    if (count > file.may_read_) {
      file.note("its parts lie upon each other");
      return 0;
    }
    file.may_read_ -= count;
  }
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

void TiffFile::note(const char* text) {
  if (!failed()) std::snprintf(message_, sizeof message_, "%s", text);
}

void TiffFile::keep_warning(std::string_view text) {
  constexpr std::size_t kMost = 4;
  while (text.ends_with('.')) text.remove_suffix(1);
  try {
    if (kept_warnings_.size() < kMost) kept_warnings_.emplace_back(text);
  } catch (const std::bad_alloc&) {
    // It is a side note, and exceptions must not cross libtiff.
  }
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
  auto* self = static_cast<TiffFile*>(file);
  if (++self->warnings_ > kMostWarnings) self->note("too many tags that are not known or not valid");
  char line[sizeof message_];
  va_list copy;
  va_copy(copy, arguments);
  std::vsnprintf(line, sizeof line, format, copy);
  va_end(copy);
  const std::string_view text(line);
  if (is_loss(module == nullptr ? "" : module, text) || text.starts_with("IO error") ||
      text.find("ColorMap") != std::string_view::npos)
    keep_error(tiff, file, module, format, arguments);
  else if (!is_of_no_account(text))
    self->keep_warning(text);
  return 1;
}

}  // namespace torsor::formats
