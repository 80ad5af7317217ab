// A blur that halves or doubles sides, with the norm and the activation in front of it, by the fast kernel,
// as an autograd function.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "kernels/fused_blur.h"
#include "kernels/isa.h"
#include "nn/fast_tensors.h"

namespace torsor {

struct FastBlurSpec {
  BlurDirection direction = BlurDirection::down;
  at::Tensor filt;  // [C,1,side,side], a constant
  Prologue prologue;
  NormTensors norm;  // the prologue's
};

/// Thread-safe. Inputs and outputs are blocked (see to_blocked_tensor()).
class FastBlur {
 public:
  explicit FastBlur(FastBlurSpec spec, Isa isa = chosen_isa());

  /// Whether the kernel supports x, planar or blocked: float32 on the CPU, of a shape that is_supported(). It
  /// computes in fp32 under autocast too, where kernels of convolutions support that.
  bool supports(const at::Tensor& x) const;
  /// Differentiable; double backward goes through libtorch's operations. Throws std::logic_error for an
  /// unsupported tensor.
  at::Tensor forward(const at::Tensor& x) const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace torsor
