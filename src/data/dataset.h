// A set of samples by index. Randomness of one item comes from the stream it is handed, which is derived from
// (seed, epoch, index): loader threads do not matter.
#pragma once

#include "core/rng.h"
#include "data/batch.h"

namespace torsor {

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  /// Sample `index` in 0..size()-1, its tensors without a batch dimension. Thread-safe.
  virtual Batch get(std::int64_t index, Rng& rng) const = 0;
};

}  // namespace torsor
