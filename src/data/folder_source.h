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
  /// Lists image files (by extension, recursive, sorted by path; hidden files and folders are passed over).
  /// Throws Error when the folder is missing, not a folder, or holds no image. `limit` > 0 keeps the first
  /// that many.
  FolderSource(std::filesystem::path folder, std::int64_t limit);

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  Image read(std::int64_t index) const override;
  std::string name(std::int64_t index) const override;  // relative to the folder
  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<std::filesystem::path>& files() const { return files_; }

  /// Reads every file once, in parallel. With refuse: throws one Error that names the bad files (the first
  /// ten) and says that skip_bad goes on. With skip: drops them, one warning each; throws when none is left.
  /// `look` sees every readable image with its place among files() before this call, from several threads;
  /// it may reject one by throwing Error (too small for the crop).
  using Look = std::function<void(const Image&, std::int64_t index, const std::string& file)>;
  void verify(BadFiles policy, LogSink& log, const Look& look);

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace torsor
