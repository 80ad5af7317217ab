#include "nn/fast_conv.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include <array>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "kernels/norm_activation.h"
#include "nn/fast_tensors.h"
#include "nn/layers.h"
#include "nn/weight_version.h"

namespace torsor {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// With bfloat16 operands where they are wanted and supported.
FusedConvShape shape_of(const FastConvSpec& spec, const Tensor& x, Operands wanted) {
  const ImageSizes s = sizes_of(x);
  const std::int64_t kernel = spec.weight.size(2);
  FusedConvShape shape{{s.batch, spec.weight.size(1), spec.weight.size(0), s.height, s.width, kernel,
                        spec.stride, spec.padding},
                       spec.direction,
                       spec.prologue};
  if (spec.direction == ConvDirection::transposed) {
    const auto grown = [&](std::int64_t side) {
      return (side - 1) * spec.stride - 2 * spec.padding + kernel + spec.output_padding;
    };
    shape.conv.height = grown(s.height);
    shape.conv.width = grown(s.width);
  }
  if (is_supported(shape.conv, wanted)) shape.operands = wanted;
  return shape;
}

// An image in the kernels' layout: blocked from 16 channels on, otherwise planar.
Tensor empty_image(const Tensor& like, std::int64_t batch, std::int64_t channels, std::int64_t height,
                   std::int64_t width) {
  if (channels < kBlock) return at::empty({batch, channels, height, width}, like.options());
  return at::empty({batch, channels / kBlock, height, width, kBlock}, like.options());
}

Tensor empty_result(const FusedConvShape& shape, const Tensor& x) {
  const bool transposed = shape.direction == ConvDirection::transposed;
  return empty_image(x, shape.conv.batch, shape.out_channels(),
                     transposed ? shape.conv.height : shape.conv.out_height(),
                     transposed ? shape.conv.width : shape.conv.out_width());
}

Tensor to_kernel_layout(const Tensor& x) { return sizes_of(x).channels < kBlock ? x : to_blocked_tensor(x); }

Tensor conv_by_libtorch(const FastConvSpec& spec, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const NormTensors& norm) {
  Tensor y = prologue_by_libtorch(spec.prologue, to_planar_tensor(x), norm);
  if (spec.direction == ConvDirection::transposed) {
    y = at::conv_transpose2d(y, weight, bias, spec.stride, spec.padding, spec.output_padding);
  } else if (spec.prologue.padding_mode == PaddingMode::reflect) {
    y = at::conv2d(at::reflection_pad2d(y, std::vector<std::int64_t>(4, spec.padding)), weight, bias);
  } else {
    y = at::conv2d(y, weight, bias, spec.stride, spec.padding);
  }
  return to_kernel_layout(y);
}

// The sum over everything but channels.
Tensor bias_gradient(const Tensor& dy) {
  return is_blocked(dy) ? dy.sum({0, 2, 3}).reshape({-1}) : dy.sum({0, 2, 3});
}

}  // namespace

struct FastConv::State {
  FastConvSpec spec;
  Isa isa;
  std::mutex mutex;
  struct Packed {
    KeptWeight forward, backward;
  };
  std::array<Packed, 2> packed;  // for each operand type

  const float* forward_weights(const FusedConv& conv, Operands operands) {
    const std::lock_guard lock(mutex);
    return packed[static_cast<std::size_t>(operands)].forward.current(
        spec.weight, conv.weight_floats(),
        [&](const float* weight, float* form) { conv.pack_weights(weight, form); });
  }
  const float* backward_weights(const FusedConv& conv, Operands operands) {
    const std::lock_guard lock(mutex);
    return packed[static_cast<std::size_t>(operands)].backward.current(
        spec.weight, conv.weight_floats(),
        [&](const float* weight, float* form) { conv.pack_weights_backward(weight, form); });
  }
};

namespace {

struct Computed {
  Tensor y, moments;
};

Computed compute(FastConv::State& state, const Tensor& x, Operands wanted) {
  const FusedConvShape shape = shape_of(state.spec, x, wanted);
  const FusedConv conv(shape, state.isa);
  Computed result{empty_result(shape, x), {}};
  if (state.spec.prologue.norm == Prologue::Norm::instance)
    result.moments = at::empty({static_cast<std::int64_t>(conv.moment_floats())}, x.options());
  const Tensor bias = state.spec.bias_role == BiasRole::added ? state.spec.bias : Tensor();
  conv.forward(values(x), state.spec.norm.pointers(), state.forward_weights(conv, shape.operands),
               values(bias), place(result.moments), place(result.y));
  return result;
}

class ConvFunction : public torch::autograd::Function<ConvFunction> {
 public:
  static constexpr std::size_t kInputs = 7;  // of forward(); the first five may require gradients
  // The state's tensors are inputs so that autograd tracks them.
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias, const std::optional<Tensor>& gain,
                        const std::optional<Tensor>& shift, const std::shared_ptr<FastConv::State>& state,
                        Operands wanted) {
    const Computed computed = compute(*state, x, wanted);
    ctx->save_for_backward({x, weight, bias.value_or(Tensor()), gain.value_or(Tensor()),
                            shift.value_or(Tensor()), computed.moments});
    ctx->saved_data["state"] = held(state);
    ctx->saved_data["wanted"] = static_cast<std::int64_t>(wanted);
    return computed.y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto state = state_held<FastConv::State>(ctx->saved_data["state"]);
    const variable_list saved = ctx->get_saved_variables();  // throws where a weight was modified in place
    const FastConvSpec& spec = state->spec;
    if (at::GradMode::is_enabled()) {
      variable_list results = gradients_by_libtorch(
          {saved[0], saved[1], saved[2], saved[3], saved[4]},
          [&](const variable_list& in) {
            return variable_list{conv_by_libtorch(spec, in[0], in[1], in[2], {in[3], in[4]})};
          },
          gradients);
      results.resize(kInputs);
      return results;
    }
    const Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &moments = saved[5];
    const Tensor dy = aligned_contiguous(gradients[0]);
    variable_list results(kInputs);
    const bool wants_norm = spec.norm.defined() && (ctx->needs_input_grad(3) || ctx->needs_input_grad(4));
    if (ctx->needs_input_grad(0) || wants_norm) results[0] = at::empty_like(x);
    if (ctx->needs_input_grad(1)) results[1] = at::empty_like(weight);
    if (bias.defined() && ctx->needs_input_grad(2))
      results[2] = spec.bias_role == BiasRole::added ? bias_gradient(dy) : at::zeros_like(bias);
    const FusedConvShape shape = shape_of(spec, x, static_cast<Operands>(ctx->saved_data["wanted"].toInt()));
    const FusedConv conv(shape, state->isa);
    const float* packed_backward =
        results[0].defined() ? state->backward_weights(conv, shape.operands) : nullptr;
    const Tensor sums = wants_norm ? empty_norm_sums(x) : Tensor();
    if (results[0].defined() || results[1].defined())
      conv.backward(values(x), spec.norm.pointers(), values(moments), packed_backward, values(dy),
                    place(results[0]), place(results[1]), place(sums));
    if (wants_norm) {
      const NormTensors of_norm = norm_gradients(sums);
      results[3] = of_norm.gain;
      results[4] = of_norm.shift;
    }
    return results;
  }
};

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static constexpr std::size_t kInputs = 5;
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const std::optional<Tensor>& gain,
                        const std::optional<Tensor>& shift, double slope, std::int64_t isa) {
    const NormActivation norm = of(x, slope);
    const NormTensors parameters = {gain.value_or(Tensor()), shift.value_or(Tensor())};
    const Tensor moments = at::empty({norm.moment_floats()}, x.options());
    Tensor y = at::empty_like(x);
    norm.compute_moments(static_cast<Isa>(isa), values(x), place(moments));
    norm.forward(static_cast<Isa>(isa), values(x), parameters.pointers(), values(moments), place(y));
    ctx->save_for_backward({x, moments, parameters.gain, parameters.shift});
    ctx->saved_data["slope"] = slope;
    ctx->saved_data["isa"] = isa;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const double slope = ctx->saved_data["slope"].toDouble();
    const variable_list saved = ctx->get_saved_variables();
    if (at::GradMode::is_enabled()) {
      const auto by_layers = [&](const variable_list& in) {
        const Tensor normed = normed_by_libtorch(to_planar_tensor(in[0]), {in[1], in[2]});
        return variable_list{to_blocked_tensor(activated(normed, static_cast<float>(slope)))};
      };
      variable_list results = gradients_by_libtorch({saved[0], saved[2], saved[3]}, by_layers, gradients);
      results.resize(kInputs);
      return results;
    }
    const NormTensors parameters = {saved[2], saved[3]};
    const Tensor dy = aligned_contiguous(gradients[0]), dx = at::empty_like(saved[0]),
                 sums = parameters.defined() ? empty_norm_sums(saved[0]) : Tensor();
    of(saved[0], slope)
        .backward(static_cast<Isa>(ctx->saved_data["isa"].toInt()), values(saved[0]), parameters.pointers(),
                  values(saved[1]), values(dy), place(dx), place(sums));
    const NormTensors of_norm = sums.defined() ? norm_gradients(sums) : NormTensors();
    return {dx, of_norm.gain, of_norm.shift, Tensor(), Tensor()};
  }

 private:
  static NormActivation of(const Tensor& x, double slope) {
    const ImageSizes s = sizes_of(x);
    return {s.batch, s.channels, s.height * s.width, static_cast<float>(slope)};
  }
};

}  // namespace

FastConv::FastConv(FastConvSpec spec, Isa isa) : state_(std::make_shared<State>()) {
  state_->spec = std::move(spec);
  state_->isa = isa;
}

FastConv::~FastConv() = default;

bool FastConv::supports(const Tensor& x) const {
  const FastConvSpec& spec = state_->spec;
  const Tensor& w = spec.weight;
  if (!may_be_supported(x, state_->isa) || !is_cpu_float(w) || !w.is_contiguous() || w.size(2) != w.size(3))
    return false;
  const FusedConvShape shape = shape_of(spec, x, *wanted_operands(state_->isa));
  if (shape.in_channels() != sizes_of(x).channels || !is_supported(shape)) return false;
  if (!is_supported(spec.norm, shape.in_channels())) return false;
  if (spec.direction == ConvDirection::forward) return true;
  return shape.conv.out_height() == sizes_of(x).height && shape.conv.out_width() == sizes_of(x).width;
}

Tensor FastConv::forward(const Tensor& x) const {
  if (!supports(x)) throw std::logic_error("FastConv: unsupported tensor");
  const Tensor image = aligned_contiguous(to_kernel_layout(x));
  const FastConvSpec& spec = state_->spec;
  const Operands wanted = *wanted_operands(state_->isa);
  if (wants_gradient({image, spec.weight, spec.bias, spec.norm.gain, spec.norm.shift}))
    return ConvFunction::apply(image, spec.weight, if_defined(spec.bias), if_defined(spec.norm.gain),
                               if_defined(spec.norm.shift), state_, wanted);
  return compute(*state_, image, wanted).y;
}

std::int64_t FastConv::out_channels() const {
  return state_->spec.weight.size(state_->spec.direction == ConvDirection::forward ? 0 : 1);
}

void FastConv::invalidate() {
  const std::lock_guard lock(state_->mutex);
  for (State::Packed& kind : state_->packed) {
    kind.forward.forget();
    kind.backward.forget();
  }
}

bool FastNorm::supports(const Tensor& x) const {
  const ImageSizes s = may_be_supported(x, isa_) ? sizes_of(x) : ImageSizes{};
  return s.channels > 0 && s.channels % kBlock == 0 && s.height * s.width > 1 &&
         is_supported(norm_, s.channels);
}

Tensor FastNorm::forward(const Tensor& x) const {
  if (!supports(x)) throw std::logic_error("FastNorm: unsupported tensor");
  return NormFunction::apply(aligned_contiguous(to_blocked_tensor(x)), if_defined(norm_.gain),
                             if_defined(norm_.shift), static_cast<double>(slope_),
                             static_cast<std::int64_t>(isa_));
}

}  // namespace torsor
