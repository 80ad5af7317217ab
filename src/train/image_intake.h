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

#include "data/data_source.h"
#include "data/fingerprint.h"
#include "data/sample_scale.h"
#include "train/config.h"
#include "train/opened_images.h"

namespace torsor {

/// {"count", "digest"}: whether the images are the same, wherever they lie.
Json digest_of(const ImageSet& set);

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

  /// Throws as DataSource::require() does, and UsageError where --val-share is given and the source has no
  /// names that could decide on the share.
  void require_images(Pairing pairing) const;

  /// Whether the source's test images, which no step sees, serve metrics too: where these are wanted and no
  /// other images are held out for them.
  bool evaluates_tests() const {
    return config_.evaluation.is_on() && data().val_a.empty() && data().val_share == 0;
  }
  /// A set of --data, or of --a and --b; null where the source has none.
  std::shared_ptr<ImageSet> open(SetName name, Split split) const { return source_->open(name, split); }
  /// Takes from a set what --val-share holds out of it; null where that is not given.
  std::shared_ptr<ImageSet> share_of(ImageSet& train) const;
  /// The folder of --val-a or --val-b, its first `limit` images if above 0; null where none is given. Throws
  /// UsageError for the folder of `train`.
  std::shared_ptr<ImageSet> val_set(Domain d, const ImageSet& train, std::int64_t limit) const;

  /// The images below any folder.
  std::shared_ptr<ImageSet> open_folder_of(const std::filesystem::path& path, std::int64_t limit = 0) const;

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
  ImageSet::Look look(Domain d, FingerprintBuilder* seen) const;

  /// Looks at the images of a set, and drops bad ones where that is asked for.
  void verify(ImageSet& set, const ImageSet::Look& look) const;

  /// For those images of a set that are looked at.
  std::shared_ptr<FingerprintBuilder> builder(const ImageSet& set, Domain d) const;

  /// The transform that shows images whole: no flip, no crop where sizes are given.
  TransformOptions whole() const;

  TrainData describe(const OpenedImages& images) const;

 private:
  std::string name(Domain d) const;
  GivenScale given_scale(Domain d) const;
  void say_scale(Domain d) const;
  ValueRange range_of_domain(Domain d, const FingerprintBuilder& seen) const;
  Batch samples(const Dataset& shown) const;

  const TrainConfig& config_;
  std::shared_ptr<LogSink> log_;
  std::unique_ptr<DataSource> source_;
  std::shared_ptr<LargestSize> largest_ = std::make_shared<LargestSize>();
  std::shared_ptr<DomainScales> scales_ = std::make_shared<DomainScales>();
};

}  // namespace torsor
