// The residual blocks of a generator by the fast kernel, as one autograd function.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "kernels/isa.h"
#include "nn/fast_tensors.h"

namespace torsor {

/// Residual blocks of two convolutions each: reflection padding, convolution, instance norm, ReLU, reflection
/// padding, convolution, instance norm, plus the input. Thread-safe.
class FastTrunk {
 public:
  /// `weights`: [C,C,3,3], two per block; changes are detected at each call. `biases`: of the convolutions,
  /// or empty; an instance norm cancels them, so that their gradients are zero. `norms`: the affine
  /// parameters of the norms, or empty. Throws std::logic_error for Isa::plain at the first call, and
  /// UsageError where TORSOR_ISA names an instruction set that the CPU lacks.
  explicit FastTrunk(std::vector<at::Tensor> weights, std::vector<at::Tensor> biases = {},
                     Isa isa = chosen_isa(), std::vector<NormTensors> norms = {});
  ~FastTrunk();

  /// Whether the kernel supports [N,C,H,W], or that blocked (see to_blocked_tensor()): float32 on the CPU,
  /// channels in multiples of 16, sides of at least 2. Under autocast convolutions with channels in multiples
  /// of 32 have bfloat16 operands where kernels support them (see wanted_operands()); where they do not,
  /// nothing is supported.
  bool supports(const at::Tensor& x) const;

  /// Planar or blocked -> the same layout; differentiable. Appends each block's residual, [N,C,H,W], unless
  /// `residuals` is null. Double backward goes through libtorch's operations. Throws std::logic_error for an
  /// unsupported tensor.
  at::Tensor forward(const at::Tensor& x, std::vector<at::Tensor>* residuals) const;

  /// Discards transformed weights, which are cached for each version of the weights. Needed after writes that
  /// autograd does not track (through raw pointers, to tensors made under InferenceMode).
  void invalidate();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace torsor
