// Writes translations while others are computed.
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <memory>

#include "image/codec.h"
#include "infer/translation_plan.h"

namespace torsor {

/// One output, to which its pages are handed in order.
struct OutputFile {
  TranslationJob job;
  std::int64_t pages = 1;
  std::int64_t handed = 0;                       // pages so far
  std::shared_ptr<PageWriter> writer = nullptr;  // where there are several
};

/// Makes the folder of a file that is to be written. Throws Error.
void make_folder_of(const std::filesystem::path& file);

/// A page that cannot be written is reported a few pages later.
class OutputWriter {
 public:
  explicit OutputWriter(const EncodeOptions& encode) : encode_(encode) {}

  /// Throws Error when the format cannot hold so many pages.
  std::shared_ptr<OutputFile> open(const TranslationJob& job, std::int64_t pages) const;

  /// The file's next page; all pages of a file come before those of another. Throws Error about one that was
  /// handed over before.
  void write(const std::shared_ptr<OutputFile>& file, Image image);
  /// Waits until all pages are on disk. Throws as write().
  void finish();

  std::int64_t files() const { return files_; }  // written whole
  std::int64_t pages() const { return pages_; }  // of them

 private:
  struct Leaving {
    std::shared_future<void> page;
    std::int64_t completes = 0;  // pages of the file that is whole with this one
  };
  void wait_for_first();

  EncodeOptions encode_;
  std::deque<Leaving> leaving_;
  std::shared_future<void> last_;  // page that was handed over
  std::int64_t files_ = 0, pages_ = 0;
};

}  // namespace torsor
