// A dataset of images whose class is known.
#pragma once

#include <memory>

#include "data/dataset.h"
#include "data/image_source.h"
#include "data/unpaired.h"

namespace torsor {

/// Item i: "image" [channels,H,W], scaled as the transform says, and "label", a whole number without
/// dimensions.
class LabelledDataset : public Dataset {
 public:
  LabelledDataset(std::shared_ptr<const LabelledSource> source, const TransformOptions& transform,
                  std::int64_t channels, std::shared_ptr<LogSink> log)
      : source_(source), reader_(std::move(source), transform, channels, std::move(log)) {}
  std::int64_t size() const override { return source_->size(); }
  Batch get(std::int64_t index, Rng& rng) const override;

 private:
  std::shared_ptr<const LabelledSource> source_;
  DomainReader reader_;
};

}  // namespace torsor
