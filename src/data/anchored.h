// Unpaired images with a known pair beside each of them.
#pragma once

#include <memory>

#include "data/dataset.h"

namespace torsor {

/// Item i is that of `images` and, drawn behind what that draws and from the same stream, one of the pairs as
/// "anchor_a" and "anchor_b" (what the pairs have as "real_a" and "real_b"): the same for every number of
/// threads and after every interruption, and what is drawn for `images` is what it would be without pairs.
class AnchoredDataset : public Dataset {
 public:
  /// Throws std::logic_error without a pair.
  AnchoredDataset(std::shared_ptr<const Dataset> images, std::shared_ptr<const Dataset> pairs);
  std::int64_t size() const override { return images_->size(); }
  Batch get(std::int64_t index, Rng& rng) const override;

 private:
  std::shared_ptr<const Dataset> images_, pairs_;
};

}  // namespace torsor
