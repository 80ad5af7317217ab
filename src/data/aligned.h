// Pairs of images that belong together, and the dataset that keeps them together (the reference's
// dataset_mode aligned).
#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/image_source.h"
#include "data/transform.h"
#include "data/unpaired.h"

namespace torsor {

/// As stored: any pixel types, channel counts and sizes.
struct StoredPair {
  Image a, b;
};

class PairSource {
 public:
  virtual ~PairSource() = default;
  virtual std::int64_t size() const = 0;
  /// Pair `index` in 0..size()-1. Thread-safe. Throws Error naming the image.
  virtual StoredPair read(std::int64_t index) const = 0;
  /// File names as of ImageSource::name().
  virtual std::string name_a(std::int64_t index) const = 0;
  virtual std::string name_b(std::int64_t index) const = 0;
};

/// Cuts an image that shows a pair side by side: A is columns 0 to width/2 - 1, B the others; of an odd width
/// B has one column more. Throws Error naming it below two columns.
StoredPair halves_of(const Image& whole, const std::string& name);

/// The halves of each image of a source, which is read once for both.
class SideBySide : public PairSource {
 public:
  explicit SideBySide(std::shared_ptr<const ImageSource> whole) : whole_(std::move(whole)) {}
  std::int64_t size() const override { return whole_->size(); }
  StoredPair read(std::int64_t index) const override {
    return halves_of(whole_->read(index), whole_->name(index));
  }
  std::string name_a(std::int64_t index) const override { return whole_->name(index); }
  std::string name_b(std::int64_t index) const override { return whole_->name(index); }

 private:
  std::shared_ptr<const ImageSource> whole_;
};

/// Image i of one source with image i of the other, which must be as many (std::logic_error).
class InStep : public PairSource {
 public:
  InStep(std::shared_ptr<const ImageSource> a, std::shared_ptr<const ImageSource> b);
  std::int64_t size() const override { return a_->size(); }
  StoredPair read(std::int64_t index) const override { return {a_->read(index), b_->read(index)}; }
  std::string name_a(std::int64_t index) const override { return a_->name(index); }
  std::string name_b(std::int64_t index) const override { return b_->name(index); }

 private:
  std::shared_ptr<const ImageSource> a_, b_;
};

/// The part that both images of a pair cover after resizing, in which their common crop lies: the size of
/// both, which has to be one. Only where a crop follows, B may be stored one column wider, as the right half
/// of an odd width is. Throws Error naming both when their pixels cannot be laid on each other: sizes that
/// differ need --preprocess resize_and_crop, which makes them equal.
Size shared_size(const TransformOptions& options, Size a, Size b, const std::string& name_a,
                 const std::string& name_b);

/// Item i is pair i: "real_a" [channels_a,H,W] and "real_b" [channels_b,H,W] under the same crop and the same
/// flip, which are drawn once from the item's stream, the crop from the positions in shared_size(). Each is
/// scaled by itself, as an image of its domain alone would be. Unlike the reference, which leaves a pair
/// smaller than the crop as it is or pads it with black, such a pair is an Error.
class AlignedDataset : public Dataset {
 public:
  AlignedDataset(std::shared_ptr<const PairSource> pairs, TransformOptions transform, std::int64_t channels_a,
                 std::int64_t channels_b, std::shared_ptr<LogSink> log, const ValueRange& domain_a = {},
                 const ValueRange& domain_b = {});
  std::int64_t size() const override { return pairs_->size(); }
  Batch get(std::int64_t index, Rng& rng) const override;

 private:
  std::shared_ptr<const PairSource> pairs_;
  TransformOptions transform_;
  DomainPreparation a_, b_;
};

}  // namespace torsor
