// The residual blocks of a generator through the fast kernel, as one operation of autograd.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "kernels/isa.h"
#include "nn/fast_tensors.h"

namespace torsor {

/// Convolutions of residual blocks, two of a block: pad by reflection, convolve, instance norm, relu, pad,
/// convolve, instance norm, plus the input. Serves several threads at once.
class FastTrunk {
 public:
  /// `weights`: [C,C,3,3], two of a block; they are looked at again at each call. `biases`: of the
  /// convolutions, if they have some: an instance norm takes them away again, so that they only get
  /// gradients, of zero. `norms`: the parameters of the norms, if they have some. Throws std::logic_error for
  /// Isa::plain at the first call, and UsageError when TORSOR_ISA asks for what this processor does not have.
  explicit FastTrunk(std::vector<at::Tensor> weights, std::vector<at::Tensor> biases = {},
                     Isa isa = chosen_isa(), std::vector<NormTensors> norms = {});
  ~FastTrunk();

  /// Whether the kernel takes [N,C,H,W], or that blocked (see to_blocked_tensor()): float32 on the CPU,
  /// channels in multiples of 16, sides of at least 2. Under autocast convolutions of 32 channels and
  /// multiples multiply bfloat16, where there are kernels for it (see wanted_operands()); elsewhere nothing
  /// is taken.
  bool takes(const at::Tensor& x) const;

  /// Planar or blocked -> the same, with a gradient where one is wanted. Appends each block's residual,
  /// [N,C,H,W], when `residuals` is not null. Gradients of gradients go through libtorch's own operations.
  /// Throws std::logic_error for what takes() says no to.
  at::Tensor forward(const at::Tensor& x, std::vector<at::Tensor>* residuals) const;

  /// Weights are transformed once for each of their versions. Writes that autograd does not count (through
  /// raw pointers, to tensors made under InferenceMode) are to be followed by this.
  void invalidate();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace torsor
