// Shared by the autograd functions that wrap kernels.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/bf16_stages.h"
#include "kernels/fused_conv.h"

namespace torsor {

/// The blocked layout (nChw16c): [N, C / 16, H, W, 16].
inline bool is_blocked(const at::Tensor& x) { return x.dim() == 5; }
/// The sizes of a planar or blocked image.
struct ImageSizes {
  std::int64_t batch, channels, height, width;
};
ImageSizes sizes_of(const at::Tensor& x);

/// float32 on the CPU.
bool is_cpu_float(const at::Tensor& t);

/// The values of a tensor as kernels read and write them; null where it is undefined.
const float* values(const at::Tensor& t);
float* place(const at::Tensor& t);

/// As custom autograd functions take inputs that may be missing.
std::optional<at::Tensor> if_defined(const at::Tensor& t);

/// The affine parameters of an instance norm, [C] each; both undefined where it is not affine.
struct NormTensors {
  at::Tensor gain, shift;
  bool defined() const { return gain.defined(); }
  NormParameters pointers() const;
};

/// Whether kernels support these parameters with so many channels; true where the norm is not affine.
bool is_supported(const NormTensors& norm, std::int64_t channels);

/// The instance norm of planar x, by libtorch.
at::Tensor normed_by_libtorch(const at::Tensor& x, const NormTensors& norm);

/// An activation by its slope, as in Prologue, by libtorch.
at::Tensor activated(const at::Tensor& x, float slope);
/// Norm and activation of a prologue, but not its padding, of planar x, by libtorch.
at::Tensor prologue_by_libtorch(const Prologue& prologue, const at::Tensor& x, const NormTensors& norm);

/// Memory for the `sums` of kernels, and the parameters' gradients from them.
at::Tensor empty_norm_sums(const at::Tensor& x);
NormTensors norm_gradients(const at::Tensor& sums);

/// The operand type of convolutions: fp32, or bfloat16 under autocast; nullopt where kernels of this
/// instruction set do not support the latter.
std::optional<Operands> wanted_operands(Isa isa);

/// Whether x is an image, planar or blocked, of floats on the CPU, and kernels have the wanted operands.
bool may_be_supported(const at::Tensor& x, Isa isa);

/// Reorder [N,C,H,W], C in multiples of 16, -> blocked; blocked tensors are returned as they are.
/// Differentiable twice.
at::Tensor to_blocked_tensor(const at::Tensor& x);
/// The inverse.
at::Tensor to_planar_tensor(const at::Tensor& x);

/// `t` contiguous and aligned to a cache line: itself where it is so already.
at::Tensor aligned_contiguous(const at::Tensor& t);

/// Whether an input requires a gradient, and grad mode is enabled.
bool wants_gradient(const std::vector<at::Tensor>& inputs);

/// A kernel's state, saved by autograd from the forward pass for the backward pass.
template <class State>
struct StateHolder : torch::CustomClassHolder {
  explicit StateHolder(std::shared_ptr<State> held) : state(std::move(held)) {}
  std::shared_ptr<State> state;
};

template <class State>
at::IValue held(const std::shared_ptr<State>& state) {
  return at::IValue::make_capsule(c10::make_intrusive<StateHolder<State>>(state));
}

template <class State>
std::shared_ptr<State> state_held(const at::IValue& value) {
  return c10::static_intrusive_pointer_cast<StateHolder<State>>(value.toCapsule())->state;
}

using TensorList = std::vector<at::Tensor>;
/// Differentiable gradients of `inputs` (double backward), which kernels lack: `compute` recomputes the
/// outputs by libtorch's operations; some of their `gradients` may be undefined. Undefined for inputs that
/// require none.
TensorList gradients_by_libtorch(const TensorList& inputs,
                                 const std::function<TensorList(const TensorList&)>& compute,
                                 const TensorList& gradients);

}  // namespace torsor
