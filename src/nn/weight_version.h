// Which values a weight has, for those who keep something made of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace torsor {

/// torsor's optimiser tells autograd that it wrote; libtorch's own, used without it, do not, so that some of
/// the values are part of it too.
struct WeightVersion {
  const void* storage = nullptr;
  std::int64_t count = -1;
  std::uint64_t samples = 0;
  bool operator==(const WeightVersion&) const = default;
};

/// Of a contiguous float32 tensor on the CPU.
WeightVersion version_of(const at::Tensor& weight);

}  // namespace torsor
