// All images below a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/image_set.h"

namespace torsor {

class FolderSource : public ImageSet {
 public:
  /// Lists image files as list_folder() does. Throws Error when the folder is missing, not a folder, or holds
  /// no image; with refuse also for entries that cannot be entered or read, of which it names the first ten
  /// and says that skip_bad continues. `limit` > 0 keeps the first that many.
  FolderSource(std::filesystem::path folder, std::int64_t limit, BadFiles policy = BadFiles::refuse);

  /// Before anything is read: what the pages of files are. Of images the first is read; slices are an image
  /// each, named "a.tif:2" from the second on, of which `limit` > 0 keeps the first that many. A file that
  /// cannot be read stays, for verify() to say so.
  void use_pages(PageUse use, std::int64_t limit = 0);

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  Image read(std::int64_t index) const override;
  Image read_noting(std::int64_t index, Notes& notes) const override;
  std::string name(std::int64_t index) const override;  // relative to the folder
  std::filesystem::path folder() const override { return folder_; }
  std::string title() const override { return folder_.string(); }
  /// By image: of slices a file stands there several times.
  std::vector<std::filesystem::path> files() const override { return files_; }
  std::string file(std::int64_t index) const override {
    return files_[static_cast<std::size_t>(index)].string();
  }
  /// The name without the extension of an image.
  std::string pair_name(std::int64_t index) const override;
  /// Names and sizes of the files in their order.
  std::vector<std::string> identity() const override;

  /// One line on the files that look like images but are not read, or "".
  const std::string& left_out() const { return left_out_; }
  /// With skip: a line for each entry that could not be entered or read.
  const std::vector<std::string>& skipped() const { return skipped_; }

  void keep(const std::vector<std::int64_t>& places) override;
  std::shared_ptr<ImageSet> copy() const override { return std::make_shared<FolderSource>(*this); }

  /// Reads every file once, in parallel. With refuse the Error names the first ten bad files and says that
  /// skip_bad continues. What is to be said of the others is summed up (ImageNotes).
  void verify(BadFiles policy, LogSink& log, const Look& look) override;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::int64_t> slices_;  // the page of each of files_; empty where they are no slices
  PageUse use_ = PageUse::images;
  std::string left_out_;
  std::vector<std::string> skipped_;
};

/// The images below a folder; logs what is skipped and what is left out. `limit` > 0 keeps the first that
/// many.
std::shared_ptr<FolderSource> open_folder(const std::filesystem::path& path, std::int64_t limit,
                                          PageUse pages, BadFiles policy, LogSink& log);

}  // namespace torsor
