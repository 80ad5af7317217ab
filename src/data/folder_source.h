// All images below a folder.
#pragma once

#include <filesystem>
#include <functional>

#include "core/log.h"
#include "data/image_source.h"
#include "image/codec.h"

namespace torsor {

enum class BadFiles { refuse, skip };

class FolderSource : public ImageSource {
 public:
  /// Lists image files as list_folder() does. Throws Error when the folder is missing, not a folder, or holds
  /// no image; with refuse also for entries that cannot be entered or read, of which it names the first ten
  /// and says that skip_bad goes on. `limit` > 0 keeps the first that many.
  FolderSource(std::filesystem::path folder, std::int64_t limit, BadFiles policy = BadFiles::refuse);

  /// Before anything is read: what the pages of files are. Of images the first is read; slices are an image
  /// each, named "a.tif:2" from the second on, of which `limit` > 0 keeps the first that many. A file that
  /// cannot be read stays, for verify() to say so.
  void use_pages(PageUse use, std::int64_t limit = 0);

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  Image read(std::int64_t index) const override;
  std::string name(std::int64_t index) const override;  // relative to the folder
  const std::filesystem::path& folder() const { return folder_; }
  /// By image: of slices a file stands there several times.
  const std::vector<std::filesystem::path>& files() const { return files_; }

  /// One line on the files that look like images but are not read, or "".
  const std::string& left_out() const { return left_out_; }
  /// With skip: a line for each entry that could not be entered or read.
  const std::vector<std::string>& skipped() const { return skipped_; }

  /// Keeps these of its files (places among files()), in this order.
  void keep(const std::vector<std::int64_t>& places);

  /// Reads every file once, in parallel. With refuse: throws one Error that names the bad files (the first
  /// ten) and says that skip_bad goes on. With skip: drops them, one warning each; throws when none is left.
  /// What is to be said of the others is summed up (ImageNotes). `look` sees every readable image with its
  /// place among files() before this call, from several threads; it may reject one by throwing Error (too
  /// small for the crop), and add to its notes.
  using Look = std::function<void(const Image&, std::int64_t index, const std::string& file, Notes& notes)>;
  void verify(BadFiles policy, LogSink& log, const Look& look);

 private:
  Image read_noting(std::int64_t index, Notes& notes) const;

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::int64_t> slices_;  // the page of each of files_; empty where they are no slices
  PageUse use_ = PageUse::images;
  std::string left_out_;
  std::vector<std::string> skipped_;
};

}  // namespace torsor
