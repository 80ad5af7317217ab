// libtiff on memory, with its messages kept per file. Internal to this layer.
#pragma once

#include <tiffio.h>

#include <string>
#include <string_view>
#include <vector>

namespace torsor::formats {

/// GDAL's tag: the text of the number that stands for no sample.
inline constexpr std::uint32_t kNoDataTag = 42113;

/// An open TIFF whose bytes lie in memory. libtiff's own handlers are global and print; these belong to the
/// file.
class TiffFile {
 public:
  /// Reads `bytes`, which must outlive this. handle() is null when they are no TIFF; message() says why.
  /// libtiff may take `most_memory` at a time, and read the bytes a few times over but not endlessly.
  TiffFile(std::string_view bytes, std::uint64_t most_memory);
  /// Writes to `out`, complete once close() or the destructor has run.
  TiffFile(std::string& out, const char* mode);
  ~TiffFile() { close(); }
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* handle() const { return tiff_; }
  void close();
  const char* message() const { return message_; }  // the first error, "" when there was none
  bool failed() const { return message_[0] != '\0'; }
  std::uint64_t last_read_at() const { return last_read_at_; }  // where it began

  /// Goes to the next page; false when there is none, or 16384 were seen.
  bool next_page();
  /// Whether next_page() gave up although there may be more.
  bool has_more_pages() const;
  /// What libtiff found odd without it costing any of the picture; the first few.
  const std::vector<std::string>& warnings() const { return kept_warnings_; }
  /// Lets libtiff read this many bytes more: parts of a picture may lie at the same place.
  void allow_reading(std::uint64_t bytes) { may_read_ += bytes; }

  /// A tag of the current page, or `otherwise` when it has none.
  template <class T>
  T tag(std::uint32_t tag, T otherwise) const {
    T value = otherwise;
    return TIFFGetField(tiff_, tag, &value) == 1 ? value : otherwise;
  }

 private:
  void open(const char* mode, std::uint64_t most_memory);
  void note(const char* text);
  void keep_warning(std::string_view text);
  static TiffFile& self(thandle_t handle) { return *static_cast<TiffFile*>(handle); }
  static tmsize_t read(thandle_t handle, void* to, tmsize_t size);
  static tmsize_t write(thandle_t handle, void* from, tmsize_t size);
  static toff_t seek(thandle_t handle, toff_t offset, int whence);
  static toff_t size(thandle_t handle);
  static int close_nothing(thandle_t) { return 0; }
  static int keep_error(TIFF*, void* file, const char* module, const char* format, va_list arguments);
  static int judge_warning(TIFF*, void* file, const char* module, const char* format, va_list arguments);

  std::string_view in_;
  std::string* out_ = nullptr;
  std::uint64_t at_ = 0, last_read_at_ = 0;
  std::uint64_t may_read_ = 0;
  int pages_seen_ = 1, warnings_ = 0;  // the latter of this page
  std::vector<std::string> kept_warnings_;
  char message_[300] = "";
  TIFF* tiff_ = nullptr;
};

}  // namespace torsor::formats
