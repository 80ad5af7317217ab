// Two unpaired domains, sampled as the reference does.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

#include "core/log.h"
#include "data/dataset.h"
#include "data/image_source.h"
#include "data/prepared_image.h"
#include "data/tensor_image.h"
#include "data/transform.h"

namespace torsor {

enum class Order { random, serial };

/// An image as networks see it.
struct ScaledImage {
  at::Tensor values;  // [channels,H,W]
  ValueRange range;
};

/// Makes the stored images of one domain ready, from any threads; what they lose is noted once.
class DomainPreparation {
 public:
  DomainPreparation(SampleScale scale, std::int64_t channels, std::shared_ptr<LogSink> log)
      : scale_(std::move(scale)), channels_(channels), log_(std::move(log)) {}
  /// Throws Error naming the image, as torsor::prepare() does.
  PreparedImage prepare(const Image& stored, const std::string& name) const;

 private:
  SampleScale scale_;
  std::int64_t channels_;
  std::shared_ptr<LogSink> log_;
  mutable std::atomic<bool> noted_{false};
};

/// As torsor::prepare(), for images whose alpha does not come back; `note` says so where it hides something.
PreparedImage prepare_without_alpha(const Image& stored, std::int64_t channels, const SampleScale& scale,
                                    std::string& note, const std::string& name);

/// An image source seen through a transform as tensors [channels,H,W] in the range of its scaling.
class DomainReader {
 public:
  /// `domain` as SampleScale has it.
  DomainReader(std::shared_ptr<const ImageSource> source, TransformOptions transform, std::int64_t channels,
               std::shared_ptr<LogSink> log, const ValueRange& domain = {});
  std::int64_t size() const { return source_->size(); }
  std::string name(std::int64_t index) const { return source_->name(index); }
  at::Tensor read(std::int64_t index, Rng& rng) const { return read_scaled(index, rng).values; }
  /// The same, with what turns the values back into samples.
  ScaledImage read_scaled(std::int64_t index, Rng& rng) const;

 private:
  std::shared_ptr<const ImageSource> source_;
  TransformOptions transform_;
  DomainPreparation preparation_;
};

/// size() = max(|A|,|B|). Item i: real_a = A[i mod |A|]; real_b = B[i mod |B|] in serial order, else a
/// uniformly random B.
class UnpairedDataset : public Dataset {
 public:
  UnpairedDataset(std::shared_ptr<const DomainReader> a, std::shared_ptr<const DomainReader> b, Order order)
      : a_(std::move(a)), b_(std::move(b)), order_(order) {}
  std::int64_t size() const override { return std::max(a_->size(), b_->size()); }
  Batch get(std::int64_t index, Rng& rng) const override;

 private:
  std::shared_ptr<const DomainReader> a_, b_;
  Order order_;
};

}  // namespace torsor
