// A convolution with what stands before it, and a norm with its activation, through the fast kernels as
// operations of autograd.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "kernels/conv_stage.h"
#include "kernels/isa.h"
#include "nn/fast_tensors.h"

namespace torsor {

/// What a bias in front of a norm does: nothing, so that it gets a gradient of zero.
enum class BiasRole { added, cancelled };

struct FastConvSpec {
  at::Tensor weight, bias;  // [out,in,k,k], of a transposed one [in,out,k,k]; the bias may be undefined
  BiasRole bias_role = BiasRole::added;
  ConvDirection direction = ConvDirection::forward;
  std::int64_t stride = 1, padding = 0, output_padding = 0;  // the last of a transposed one
  Entry entry;
  NormTensors norm;  // of the entry's
};

/// Serves several threads at once. Images with 16 channels and more go in and out blocked (see
/// to_blocked_tensor()), others planar.
class FastConv {
 public:
  /// The weight is looked at again at each call.
  explicit FastConv(FastConvSpec spec, Isa isa = chosen_isa());
  ~FastConv();

  /// Whether the kernel takes x, planar or blocked: float32 on the CPU, of a shape that is_taken() says yes
  /// to. Under autocast as FastTrunk, but with up to four channels on one side too.
  bool takes(const at::Tensor& x) const;
  /// With a gradient where one is wanted; gradients of gradients go through libtorch's own operations. Throws
  /// std::logic_error for what takes() says no to.
  at::Tensor forward(const at::Tensor& x) const;
  std::int64_t out_channels() const;
  /// See FastTrunk::invalidate().
  void invalidate();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

/// An instance norm and an activation, which is `slope` times its input below 0, of blocked images.
class FastNorm {
 public:
  explicit FastNorm(float slope, Isa isa = chosen_isa(), NormTensors norm = {})
      : slope_(slope), isa_(isa), norm_(std::move(norm)) {}
  bool takes(const at::Tensor& x) const;
  at::Tensor forward(const at::Tensor& x) const;

 private:
  float slope_;
  Isa isa_;
  NormTensors norm_;
};

}  // namespace torsor
