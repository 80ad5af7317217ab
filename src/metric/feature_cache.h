// Features that were computed once and are looked up from then on, by what the images hold.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/stop.h"
#include "data/tensor_image.h"
#include "io/checksum.h"
#include "metric/feature_extractor.h"

namespace torsor {

/// One extractor's rows, in a file of its own in a folder: <name>-<hash>.safetensors. A file of another
/// extractor is never read. Not safe for threads.
class FeatureCache {
 public:
  /// Reads what the folder, which need not exist, has of this extractor. A file that is damaged, or says that
  /// it is another extractor's, is a warning to `log`; its features are computed anew and replace it.
  FeatureCache(const std::filesystem::path& folder, const FeatureExtractor& extractor, LogSink& log);

  std::size_t size() const { return rows_.size(); }
  /// [width] float64, or an undefined tensor.
  at::Tensor find(const std::string& key) const;
  void add(const std::string& key, const at::Tensor& row);
  /// Writes the file when something was added since; atomic. Throws Error when it cannot.
  void save();
  /// save(), where the rows added since are worth it: the time for writing stays small against that for
  /// computing.
  void save_now_and_then();

 private:
  std::filesystem::path file_;
  ExtractorIdentity identity_;
  std::map<std::string, at::Tensor> rows_;
  std::size_t unsaved_ = 0;
};

/// The images whose features are wanted; they are opened one batch at a time.
struct FeatureInputs {
  std::int64_t count = 0;
  std::function<std::string(std::int64_t)> key;  // content_key() of each
  std::function<Image(std::int64_t)> open;       // what FeatureExtractor::features takes
};

/// Image files of any type of sample; `range` says what their samples mean, without one each type's full
/// scale.
FeatureInputs inputs_of_files(std::vector<std::filesystem::path> files, std::optional<ValueRange> range = {});

/// [count,width] float64: from the cache (null: none) where it has them, computed and added to it where not.
/// Saves on the way, so that what is interrupted goes on from there, and at the end. Reports progress as
/// "features". Throws as the extractor and `open` do, and StoppedError when a stop is requested.
at::Tensor cached_features(const FeatureExtractor& extractor, FeatureCache* cache,
                           const FeatureInputs& inputs, const StopFlag& stop, LogSink& log);

}  // namespace torsor
