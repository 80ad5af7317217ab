// Which values a weight has, for those who keep something made of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "kernels/buffer.h"

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

/// A weight in the form that a kernel wants, made again when the weight has other values.
class KeptWeight {
 public:
  /// `make(weight, form)` fills `floats` floats. Callers see to it that nobody else is here.
  template <class Make>
  const float* current(const at::Tensor& weight, std::size_t floats, const Make& make) {
    float* form = floats_.at_least(floats);
    const WeightVersion now = version_of(weight);
    if (of_ != now) {
      make(weight.const_data_ptr<float>(), form);
      of_ = now;
    }
    return form;
  }
  void forget() { of_ = {}; }

 private:
  WeightVersion of_;
  FloatBuffer floats_;
};

}  // namespace torsor
