// The checks that all images of a training run undergo before it begins, however they are paired.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/fingerprint.h"
#include "data/folder_source.h"
#include "data/generated.h"
#include "data/sample_scale.h"
#include "train/config.h"
#include "train/opened_images.h"

namespace torsor {

/// By area; several threads look at images.
class LargestSize {
 public:
  void see(const Size& size);
  Size get() const;

 private:
  mutable std::mutex mutex_;
  Size size_;
};

/// What is black and white in the domains, and how many samples lie outside; several threads count.
struct DomainScales {
  std::array<ValueRange, 2> ranges;
  std::array<std::atomic<std::int64_t>, 2> samples{}, clipped{};
};

class ImageIntake {
 public:
  /// Keeps a reference to `config`.
  ImageIntake(const TrainConfig& config, std::shared_ptr<LogSink> log);

  const DataOptions& data() const { return config_.data; }
  LogSink& log() const { return *log_; }
  std::int64_t channels(Domain d) const { return d == Domain::a ? data().channels_a : data().channels_b; }
  BadFiles bad_files() const { return data().skip_bad ? BadFiles::skip : BadFiles::refuse; }

  /// Throws Error when --data names a folder that is not there.
  void require_data_folder() const;

  bool generated() const;
  /// Whether a generated task's test images, which no step sees, are held out for metrics: where these are
  /// wanted and no other images are given.
  bool evaluates_generated() const {
    return generated() && config_.evaluation.is_on() && data().val_a.empty();
  }
  /// Of generated images.
  std::string task() const;
  std::int64_t generated_count(Split split) const;
  std::uint64_t seed() const { return static_cast<std::uint64_t>(config_.run.seed); }

  /// Whether --data holds MNIST's files, which are both domains: a task of translating a set of images to
  /// itself (S0-E1).
  bool is_idx() const { return !generated() && !data().data.empty() && !idx_images("train").empty(); }
  /// The file of a split, "train" or "t10k"; "" for none.
  std::filesystem::path idx_images(const std::string& split) const;

  /// The folder of a domain's training images, and of its test images, which may be missing or "".
  std::filesystem::path train_folder(Domain d) const;
  std::filesystem::path test_folder(Domain d) const;

  /// Throws UsageError for one folder given for both domains, a typing error that would cost hours. Warns of
  /// a folder inside the other.
  void require_two_folders() const;

  /// Throws UsageError where --val-share is given and --data is no folder of which it could take a share.
  void require_folders_to_share() const;
  /// Takes from a folder what --val-share holds out of it; null where that is not given.
  std::shared_ptr<FolderSource> share_of(FolderSource& train) const;
  /// The folder of --val-a or --val-b; "" where none is given. Throws UsageError for the training folder.
  std::filesystem::path val_folder(Domain d) const;

  /// Opens a folder and logs what is left out; `limit` as FolderSource has it.
  std::shared_ptr<FolderSource> folder(const std::filesystem::path& path, std::int64_t limit) const;

  /// Decides what is black and white in a domain, over all its training images and before any of them is
  /// looked at in earnest: of files, `part` is what an image shows of the domain. A domain for which it is
  /// not called is 8-bit.
  using PartOfImage = std::function<Image(const Image&)>;
  void decide_scale(Domain d, const std::vector<std::filesystem::path>& files,
                    const PartOfImage& part = nullptr) const;
  /// That scale.
  const ValueRange& range(Domain d) const { return scales_->ranges[d == Domain::a ? 0 : 1]; }

  /// What every image goes through before training; `seen` may be null. Throws for one that the scaling, the
  /// transform or the generator cannot take.
  FolderSource::Look look(Domain d, FingerprintBuilder* seen) const;

  /// Reads all files once.
  void verify(FolderSource& source, const FolderSource::Look& look) const;

  /// The first `count` images of a source that is no folder, all looked at.
  std::shared_ptr<FingerprintBuilder> seen_of(const ImageSource& source, Domain d, std::int64_t count) const;
  /// Generated images are drawn alike, so that the first ones stand for all.
  std::shared_ptr<FingerprintBuilder> generated_seen(const ImageSource& source, Domain d) const;

  /// The transform that shows images whole: no flip, no crop where sizes are given.
  TransformOptions whole() const;

  TrainData describe(const OpenedImages& images) const;

 private:
  std::string name(Domain d) const;
  GivenScale given_scale(Domain d) const;
  void say_scale(Domain d) const;
  ValueRange range_of_domain(Domain d, const FingerprintBuilder& seen) const;
  Json digest(const ImageSource& source) const;
  Batch samples(const Dataset& shown) const;

  const TrainConfig& config_;
  std::shared_ptr<LogSink> log_;
  std::shared_ptr<LargestSize> largest_ = std::make_shared<LargestSize>();
  std::shared_ptr<DomainScales> scales_ = std::make_shared<DomainScales>();
};

/// Whether there is a folder that holds something.
bool is_filled_folder(const std::filesystem::path& path);

}  // namespace torsor
