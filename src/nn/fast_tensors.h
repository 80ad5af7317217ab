// What the operations of autograd that kernels compute have in common.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/bf16_stages.h"
#include "kernels/norm_activation.h"

namespace torsor {

/// Images as kernels have them: [N, C / 16, H, W, 16].
inline bool is_blocked(const at::Tensor& x) { return x.dim() == 5; }
/// Channels and sides of either.
struct ImageSizes {
  std::int64_t batch, channels, height, width;
};
ImageSizes sizes_of(const at::Tensor& x);

/// Contiguous float32 on the CPU, as kernels need it.
bool is_plain_memory(const at::Tensor& t);

/// The parameters of an instance norm, [C] each; both undefined where it has none.
struct NormTensors {
  at::Tensor gain, shift;
  bool defined() const { return gain.defined(); }
  NormParameters pointers() const;
};

/// Whether kernels take them for this many channels; also where there are none.
bool are_taken(const NormTensors& norm, std::int64_t channels);

/// x, planar, normalised for each image, by libtorch.
at::Tensor normed_by_libtorch(const at::Tensor& x, const NormTensors& norm);

/// Memory for the `sums` of kernels, and the parameters' gradients that they stand for.
at::Tensor empty_norm_sums(const at::Tensor& x);
NormTensors norm_gradients(const at::Tensor& sums);

/// What convolutions are to multiply: floats, or bfloat16 under autocast, and then nothing where kernels with
/// this instruction set have none.
std::optional<Operands> wanted_operands(Isa isa);

/// [N,C,H,W], C in multiples of 16 -> blocked; a blocked one stays as it is. With gradients, and theirs.
at::Tensor to_blocked_tensor(const at::Tensor& x);
/// The way back.
at::Tensor to_planar_tensor(const at::Tensor& x);

/// Contiguous and on a cache line's boundary: `t` itself where it is so.
at::Tensor kernel_memory(const at::Tensor& t);

/// Whether one of them wants a gradient, and gradients are on.
bool wants_gradient(const std::vector<at::Tensor>& inputs);

/// A kernel's state as autograd keeps it from a forward pass to its backward pass.
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
/// The gradients of `inputs` that have gradients of their own, which no kernel's have: `compute` says by
/// libtorch's operations what the outputs are, some `gradients` of which are given. Undefined where an input
/// wants none.
TensorList gradients_by_libtorch(const TensorList& inputs,
                                 const std::function<TensorList(const TensorList&)>& compute,
                                 const TensorList& gradients);

}  // namespace torsor
