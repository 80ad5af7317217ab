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

const float* values(const Tensor& t) { return t.defined() ? t.const_data_ptr<float>() : nullptr; }
float* place(const Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; }

// With bfloat16 for operands where that is wanted and the channels are enough.
StageShape shape_of(const FastConvSpec& spec, const Tensor& x, Operands wanted) {
  const ImageSizes s = sizes_of(x);
  const std::int64_t kernel = spec.weight.size(2);
  StageShape shape{{s.batch, spec.weight.size(1), spec.weight.size(0), s.height, s.width, kernel, spec.stride,
                    spec.padding},
                   spec.direction,
                   spec.entry};
  if (spec.direction == ConvDirection::transposed) {
    const auto grown = [&](std::int64_t side) {
      return (side - 1) * spec.stride - 2 * spec.padding + kernel + spec.output_padding;
    };
    shape.conv.height = grown(s.height);
    shape.conv.width = grown(s.width);
  }
  if (is_taken(shape.conv, wanted)) shape.operands = wanted;
  return shape;
}

// An image in the layout that its channels ask for.
Tensor empty_image(const Tensor& like, std::int64_t batch, std::int64_t channels, std::int64_t height,
                   std::int64_t width) {
  if (channels < kBlock) return at::empty({batch, channels, height, width}, like.options());
  return at::empty({batch, channels / kBlock, height, width, kBlock}, like.options());
}

Tensor empty_result(const StageShape& shape, const Tensor& x) {
  const bool transposed = shape.direction == ConvDirection::transposed;
  return empty_image(x, shape.conv.batch, shape.out_channels(),
                     transposed ? shape.conv.height : shape.conv.out_height(),
                     transposed ? shape.conv.width : shape.conv.out_width());
}

Tensor in_layout(const Tensor& x) { return sizes_of(x).channels < kBlock ? x : to_blocked_tensor(x); }

Tensor activated(const Tensor& x, float slope) {
  return slope == 1 ? x : slope == 0 ? at::relu(x) : at::leaky_relu(x, slope);
}

Tensor conv_by_libtorch(const FastConvSpec& spec, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const NormTensors& norm) {
  Tensor y = to_planar_tensor(x);
  if (spec.entry.norm == Entry::Norm::instance) y = normed_by_libtorch(y, norm);
  y = activated(y, spec.entry.slope);
  if (spec.direction == ConvDirection::transposed) {
    y = at::conv_transpose2d(y, weight, bias, spec.stride, spec.padding, spec.output_padding);
  } else if (spec.entry.border == Border::reflect) {
    y = at::conv2d(at::reflection_pad2d(y, std::vector<std::int64_t>(4, spec.padding)), weight, bias);
  } else {
    y = at::conv2d(y, weight, bias, spec.stride, spec.padding);
  }
  return in_layout(y);
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
    KeptWeight forward, back;
  };
  std::array<Packed, 2> packed;  // for each kind of operands

  const float* forward_weights(const ConvStage& stage, Operands operands) {
    const std::lock_guard lock(mutex);
    return packed[static_cast<std::size_t>(operands)].forward.current(
        spec.weight, stage.weight_floats(),
        [&](const float* weight, float* form) { stage.pack(weight, form); });
  }
  const float* backward_weights(const ConvStage& stage, Operands operands) {
    const std::lock_guard lock(mutex);
    return packed[static_cast<std::size_t>(operands)].back.current(
        spec.weight, stage.weight_floats(),
        [&](const float* weight, float* form) { stage.pack_back(weight, form); });
  }
};

namespace {

struct Computed {
  Tensor y, moments;
};

Computed compute(FastConv::State& state, const Tensor& x, Operands wanted) {
  const StageShape shape = shape_of(state.spec, x, wanted);
  const ConvStage stage(shape, state.isa);
  Computed result{empty_result(shape, x), {}};
  if (state.spec.entry.norm == Entry::Norm::instance)
    result.moments = at::empty({static_cast<std::int64_t>(stage.moment_floats())}, x.options());
  const Tensor bias = state.spec.bias_role == BiasRole::added ? state.spec.bias : Tensor();
  stage.forward(values(x), state.spec.norm.pointers(), state.forward_weights(stage, shape.operands),
                values(bias), place(result.moments), place(result.y));
  return result;
}

std::optional<Tensor> if_defined(const Tensor& t) { return t.defined() ? std::optional(t) : std::nullopt; }

class ConvFunction : public torch::autograd::Function<ConvFunction> {
 public:
  static constexpr std::size_t kInputs = 7;  // of forward(); the first five may have gradients
  // The state's own tensors are inputs so that autograd knows of them.
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
    const variable_list saved = ctx->get_saved_variables();  // throws where a weight was written over
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
    const Tensor dy = kernel_memory(gradients[0]);
    variable_list results(kInputs);
    const bool wants_norm = spec.norm.defined() && (ctx->needs_input_grad(3) || ctx->needs_input_grad(4));
    if (ctx->needs_input_grad(0) || wants_norm) results[0] = at::empty_like(x);
    if (ctx->needs_input_grad(1)) results[1] = at::empty_like(weight);
    if (bias.defined() && ctx->needs_input_grad(2))
      results[2] = spec.bias_role == BiasRole::added ? bias_gradient(dy) : at::zeros_like(bias);
    const StageShape shape = shape_of(spec, x, static_cast<Operands>(ctx->saved_data["wanted"].toInt()));
    const ConvStage stage(shape, state->isa);
    const float* packed_back =
        results[0].defined() ? state->backward_weights(stage, shape.operands) : nullptr;
    const Tensor sums = wants_norm ? empty_norm_sums(x) : Tensor();
    if (results[0].defined() || results[1].defined())
      stage.backward(values(x), spec.norm.pointers(), values(moments), packed_back, values(dy),
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
    norm.find_moments(static_cast<Isa>(isa), values(x), place(moments));
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
    const Tensor dy = kernel_memory(gradients[0]), dx = at::empty_like(saved[0]),
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

bool may_run(const Tensor& x, Isa isa) {
  return (x.dim() == 4 || is_blocked(x)) && is_plain_memory(x) && wanted_operands(isa).has_value();
}

}  // namespace

FastConv::FastConv(FastConvSpec spec, Isa isa) : state_(std::make_shared<State>()) {
  state_->spec = std::move(spec);
  state_->isa = isa;
}

FastConv::~FastConv() = default;

bool FastConv::takes(const Tensor& x) const {
  const FastConvSpec& spec = state_->spec;
  const Tensor& w = spec.weight;
  if (!may_run(x, state_->isa) || !is_plain_memory(w) || !w.is_contiguous() || w.size(2) != w.size(3))
    return false;
  const StageShape shape = shape_of(spec, x, *wanted_operands(state_->isa));
  if (shape.in_channels() != sizes_of(x).channels || !is_taken(shape)) return false;
  if (!are_taken(spec.norm, shape.in_channels())) return false;
  if (spec.direction == ConvDirection::forward) return true;
  return shape.conv.out_height() == sizes_of(x).height && shape.conv.out_width() == sizes_of(x).width;
}

Tensor FastConv::forward(const Tensor& x) const {
  if (!takes(x)) throw std::logic_error("FastConv: a tensor that it does not take");
  const Tensor image = kernel_memory(in_layout(x));
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
    kind.back.forget();
  }
}

bool FastNorm::takes(const Tensor& x) const {
  const ImageSizes s = may_run(x, isa_) ? sizes_of(x) : ImageSizes{};
  return s.channels > 0 && s.channels % kBlock == 0 && s.height * s.width > 1 && are_taken(norm_, s.channels);
}

Tensor FastNorm::forward(const Tensor& x) const {
  if (!takes(x)) throw std::logic_error("FastNorm: a tensor that it does not take");
  return NormFunction::apply(kernel_memory(to_blocked_tensor(x)), if_defined(norm_.gain),
                             if_defined(norm_.shift), static_cast<double>(slope_),
                             static_cast<std::int64_t>(isa_));
}

}  // namespace torsor
