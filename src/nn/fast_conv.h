// A convolution with its prologue, and a norm with its activation, by the fast kernels, as autograd
// functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "kernels/fused_conv.h"
#include "kernels/isa.h"
#include "nn/fast_tensors.h"

namespace torsor {

/// A bias in front of a norm is cancelled: its gradient is zero.
enum class BiasRole { added, cancelled };

struct FastConvSpec {
  at::Tensor weight, bias;  // [out,in,k,k], transposed [in,out,k,k]; the bias may be undefined
  BiasRole bias_role = BiasRole::added;
  ConvDirection direction = ConvDirection::forward;
  std::int64_t stride = 1, padding = 0, output_padding = 0;  // output_padding: transposed only
  Prologue prologue;
  NormTensors norm;  // the prologue's
};

/// Thread-safe. Inputs and outputs with 16 channels and more are blocked (see to_blocked_tensor()), others
/// planar.
class FastConv {
 public:
  /// Changes of the weight are detected at each call.
  explicit FastConv(FastConvSpec spec, Isa isa = chosen_isa());
  ~FastConv();

  /// Whether the kernel supports x, planar or blocked: float32 on the CPU, of a shape that is_supported().
  /// Under autocast as FastTrunk, and with up to four channels on one side.
  bool supports(const at::Tensor& x) const;
  /// Differentiable; double backward goes through libtorch's operations. Throws std::logic_error for an
  /// unsupported tensor.
  at::Tensor forward(const at::Tensor& x) const;
  std::int64_t out_channels() const;
  /// See FastTrunk::invalidate().
  void invalidate();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

/// An instance norm and a (leaky) ReLU with `slope` below 0, of blocked images.
class FastNorm {
 public:
  explicit FastNorm(float slope, Isa isa = chosen_isa(), NormTensors norm = {})
      : slope_(slope), isa_(isa), norm_(std::move(norm)) {}
  bool supports(const at::Tensor& x) const;
  at::Tensor forward(const at::Tensor& x) const;

 private:
  float slope_;
  Isa isa_;
  NormTensors norm_;
};

}  // namespace torsor
