// History of generated images for the discriminator (Shrivastava et al. 2017; S1-Q4; reference ImagePool).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/rng.h"
#include "io/archive.h"

namespace torsor {

/// Where the pool's random numbers come from: a stream, or a recorded list in a test.
class PoolDraws {
 public:
  virtual ~PoolDraws() = default;
  virtual double uniform() = 0;                    // [0, 1)
  virtual std::int64_t index(std::int64_t n) = 0;  // 0 .. n-1
};

class StreamDraws : public PoolDraws {
 public:
  explicit StreamDraws(Rng& stream) : stream_(stream) {}
  double uniform() override { return stream_.uniform(); }
  std::int64_t index(std::int64_t n) override { return stream_.index(n); }

 private:
  Rng& stream_;
};

class ImagePool {
 public:
  explicit ImagePool(std::int64_t capacity) : capacity_(capacity) {}

  /// Per image of the batch, in order: while not full it is stored and returned; when full, with probability
  /// 1/2 a random stored image is returned and replaced by the new one, else the new one is returned.
  /// Capacity 0 returns the batch itself. images [N,C,H,W], returned without graph.
  at::Tensor query(const at::Tensor& images, PoolDraws& draws);

  std::size_t size() const { return stored_.size(); }
  void save(Archive& archive, const std::string& prefix) const;
  /// Images of `channels` channels, put where `placement` says. Throws Error when what was saved is no such
  /// history.
  void load(const Archive& archive, const std::string& prefix, std::int64_t channels,
            const at::TensorOptions& placement);

 private:
  std::int64_t capacity_;
  std::vector<at::Tensor> stored_;  // [C,H,W] each
};

}  // namespace torsor
