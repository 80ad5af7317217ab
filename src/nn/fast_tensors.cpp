#include "nn/fast_tensors.h"

#include <ATen/autocast_mode.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include <algorithm>

#include "kernels/blocked.h"
#include "kernels/winograd_stages.h"
#include "nn/norm_gradient.h"

namespace torsor {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

Tensor block(const Tensor& planar) {
  const ImageSizes s = sizes_of(planar);
  Tensor result = at::empty({s.batch, s.channels / kBlock, s.height, s.width, kBlock}, planar.options());
  to_blocked(s.batch, s.channels, s.height * s.width, planar.contiguous().const_data_ptr<float>(),
             result.data_ptr<float>());
  return result;
}

Tensor unblock(const Tensor& blocked) {
  const ImageSizes s = sizes_of(blocked);
  Tensor result = at::empty({s.batch, s.channels, s.height, s.width}, blocked.options());
  from_blocked(s.batch, s.channels, s.height * s.width, blocked.contiguous().const_data_ptr<float>(),
               result.data_ptr<float>());
  return result;
}

struct Block : torch::autograd::Function<Block> {
  static Tensor forward(AutogradContext*, const Tensor& planar) { return block(planar); }
  static variable_list backward(AutogradContext*, const variable_list& gradients) {
    return {to_planar_tensor(gradients[0])};
  }
};

struct Unblock : torch::autograd::Function<Unblock> {
  static Tensor forward(AutogradContext*, const Tensor& blocked) { return unblock(blocked); }
  static variable_list backward(AutogradContext*, const variable_list& gradients) {
    return {to_blocked_tensor(gradients[0])};
  }
};

}  // namespace

ImageSizes sizes_of(const Tensor& x) {
  if (is_blocked(x)) return {x.size(0), x.size(1) * kBlock, x.size(2), x.size(3)};
  return {x.size(0), x.size(1), x.size(2), x.size(3)};
}

std::optional<Operands> wanted_operands(Isa isa) {
  if (!at::autocast::is_autocast_enabled(at::kCPU)) return Operands::fp32;
  const bool there = at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16 && isa != Isa::plain &&
                     bf16_stages(isa) != nullptr;
  return there ? std::optional(Operands::bf16) : std::nullopt;
}

bool is_cpu_float(const Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }

const float* values(const Tensor& t) { return t.defined() ? t.const_data_ptr<float>() : nullptr; }
float* place(const Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; }

std::optional<Tensor> if_defined(const Tensor& t) { return t.defined() ? std::optional(t) : std::nullopt; }

bool may_be_supported(const Tensor& x, Isa isa) {
  return (x.dim() == 4 || is_blocked(x)) && is_cpu_float(x) && wanted_operands(isa).has_value();
}

NormParameters NormTensors::pointers() const {
  if (!defined()) return {};
  return {gain.const_data_ptr<float>(), shift.const_data_ptr<float>()};
}

bool is_supported(const NormTensors& norm, std::int64_t channels) {
  const auto is_good = [&](const Tensor& t) {
    return is_cpu_float(t) && t.is_contiguous() && t.numel() == channels;
  };
  return !norm.defined() || (is_good(norm.gain) && is_good(norm.shift));
}

Tensor normed_by_libtorch(const Tensor& x, const NormTensors& norm) {
  return with_norm_gradient(at::instance_norm(x, norm.gain, norm.shift, {}, {}, /*use_input_stats=*/true,
                                              /*momentum=*/0, kNormEpsilon, /*cudnn_enabled=*/true),
                            NormGradient::planes);
}

Tensor activated(const Tensor& x, float slope) {
  return slope == 1 ? x : slope == 0 ? at::relu(x) : at::leaky_relu(x, slope);
}

Tensor prologue_by_libtorch(const Prologue& prologue, const Tensor& x, const NormTensors& norm) {
  const Tensor y = prologue.norm == Prologue::Norm::instance ? normed_by_libtorch(x, norm) : x;
  return activated(y, prologue.slope);
}

// [N, C / 16, gain and shift, 16].
Tensor empty_norm_sums(const Tensor& x) {
  const ImageSizes s = sizes_of(x);
  return at::empty({s.batch, s.channels / kBlock, 2, kBlock}, x.options());
}

NormTensors norm_gradients(const Tensor& sums) {
  const Tensor of_batch = sums.sum(0);
  return {of_batch.select(1, 0).reshape({-1}), of_batch.select(1, 1).reshape({-1})};
}

Tensor to_blocked_tensor(const Tensor& x) {
  if (is_blocked(x)) return x;
  return wants_gradient({x}) ? Block::apply(x) : block(x);
}

Tensor to_planar_tensor(const Tensor& x) {
  if (!is_blocked(x)) return x;
  return wants_gradient({x}) ? Unblock::apply(x) : unblock(x);
}

Tensor aligned_contiguous(const Tensor& t) {
  constexpr std::uintptr_t kLine = 64;
  const Tensor whole = t.contiguous();
  return reinterpret_cast<std::uintptr_t>(whole.const_data_ptr()) % kLine == 0 ? whole : whole.clone();
}

bool wants_gradient(const TensorList& inputs) {
  return at::GradMode::is_enabled() && std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) {
           return t.defined() && t.requires_grad();
         });
}

// With respect to aliases: an input may itself depend on the same weights, and gradients through it are left
// to autograd.
TensorList gradients_by_libtorch(const TensorList& inputs,
                                 const std::function<TensorList(const TensorList&)>& compute,
                                 const TensorList& gradients) {
  const c10::impl::ExcludeDispatchKeyGuard in_floats(c10::DispatchKey::AutocastCPU);
  variable_list aliases;
  for (const Tensor& input : inputs) aliases.push_back(input.defined() ? input.view_as(input) : input);
  const variable_list made = compute(aliases);
  variable_list outputs, of_outputs, wanted, results;
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i].defined()) {
      outputs.push_back(made[i]);
      of_outputs.push_back(gradients[i]);
    }
  const auto wants = [](const Tensor& alias) { return alias.defined() && alias.requires_grad(); };
  std::copy_if(aliases.begin(), aliases.end(), std::back_inserter(wanted), wants);
  const variable_list found = torch::autograd::grad(outputs, wanted, of_outputs, /*retain_graph=*/true,
                                                    /*create_graph=*/true, /*allow_unused=*/true);
  std::size_t next = 0;
  for (const Tensor& alias : aliases) results.push_back(wants(alias) ? found[next++] : Tensor());
  return results;
}

}  // namespace torsor
