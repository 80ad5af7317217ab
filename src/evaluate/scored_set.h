// The images of a folder as they are scored: named, hashed, read one at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/log.h"
#include "data/folder_source.h"
#include "data/pairing.h"
#include "data/transform.h"
#include "image/image.h"

namespace torsor {

/// How stored images are read for scoring.
struct ImageReading {
  std::optional<Size> resize;        // bicubic and antialiased, to this size
  std::optional<double> data_range;  // from black to white of files that are not of 8 bits
};

class ScoredSet {
 public:
  /// The files of `folder` with these paths. Reads each once, for its hash. Throws Error naming one that
  /// cannot be read.
  ScoredSet(std::filesystem::path folder, std::vector<std::filesystem::path> files, ImageReading reading);

  std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
  const std::filesystem::path& folder() const { return folder_; }
  const std::filesystem::path& path(std::int64_t i) const { return files_[static_cast<std::size_t>(i)]; }
  std::string name(std::int64_t i) const;  // relative to the folder, "/" between
  std::vector<std::string> names() const;

  /// As stored, but resized where the reading says so. Throws Error naming the file.
  Image read(std::int64_t i) const;
  /// The same with samples 0 to 255, for a feature extractor. Throws UsageError where the range is not known.
  Image preview(std::int64_t i) const;

  /// As content_key(), of the file's bytes and of how it is read.
  const std::string& key(std::int64_t i) const { return keys_[static_cast<std::size_t>(i)]; }
  /// Of all files' bytes, whatever their names and order.
  const std::string& digest() const { return digest_; }
  /// "png", "jpg and png": by the files' names.
  std::string formats() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::string> keys_;
  std::string digest_;
  ImageReading reading_;
};

/// Which images of a folder are taken.
struct SetChoice {
  std::int64_t limit = 0;  // the first that many; 0 = all
  BadFiles bad_files = BadFiles::refuse;
};

/// Lists a folder and reads every image once. `log` hears what is left out. Throws Error for a missing or
/// empty folder and, with refuse, naming the files that cannot be read.
FolderSource open_set(const std::filesystem::path& folder, const SetChoice& choice, LogSink& log);

/// The two folders of pairs, image i of one belonging to image i of the other. Throws as open_set() and
/// keep_partners() do.
struct PairedFolders {
  FolderSource first, second;
};
PairedFolders open_pairs(const std::filesystem::path& first, const std::filesystem::path& second,
                         const SetChoice& choice, LogSink& log);

/// Throws UsageError for a mask where images are no pairs.
void require_pairs_for_mask(const std::filesystem::path& mask, Pairing pairing);

/// The mask of each image, by name, as a set in step with the images; further masks are passed over. Throws
/// Error that names the first three images without one, and their number.
std::shared_ptr<const ScoredSet> open_masks(const FolderSource& images, const std::filesystem::path& folder,
                                            const ImageReading& reading, LogSink& log);

std::shared_ptr<const ScoredSet> scored_set(const FolderSource& source, const ImageReading& reading);

/// [width, height], or null.
Json size_json(const std::optional<Size>& size);

}  // namespace torsor
