#include "nn/fast_blur.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include <mutex>
#include <stdexcept>

#include "nn/resampling.h"
#include "nn/weight_version.h"

namespace torsor {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FastBlur::State {
  FastBlurSpec spec;
  Isa isa;
  std::mutex mutex;
  // The one that was used last, as the next image often has its shape.
  BlurShape shape;
  WeightVersion of;
  std::shared_ptr<const FusedBlur> last;

  std::shared_ptr<const FusedBlur> kernel(const BlurShape& wanted) {
    const WeightVersion now = version_of(spec.filt);
    const std::lock_guard lock(mutex);
    if (last == nullptr || shape != wanted || of != now) {
      last = std::make_shared<const FusedBlur>(wanted, isa, values(spec.filt));
      shape = wanted;
      of = now;
    }
    return last;
  }
};

namespace {

BlurShape shape_of(const FastBlurSpec& spec, const Tensor& x) {
  const ImageSizes s = sizes_of(x);
  return {spec.direction, s.batch, s.channels, s.height, s.width, spec.prologue};
}

struct BlurResult {
  Tensor y, moments;
};

BlurResult compute(FastBlur::State& state, const Tensor& x) {
  const BlurShape shape = shape_of(state.spec, x);
  const std::shared_ptr<const FusedBlur> blur = state.kernel(shape);
  BlurResult result{
      at::empty({shape.batch, shape.channels / kBlock, shape.out_height(), shape.out_width(), kBlock},
                x.options()),
      {}};
  if (shape.prologue.norm == Prologue::Norm::instance)
    result.moments = at::empty({static_cast<std::int64_t>(blur->moment_floats())}, x.options());
  blur->forward(values(x), state.spec.norm.pointers(), place(result.moments), place(result.y));
  return result;
}

Tensor blur_by_libtorch(const FastBlurSpec& spec, const Tensor& x, const NormTensors& norm) {
  const Tensor activated = prologue_by_libtorch(spec.prologue, to_planar_tensor(x), norm);
  return to_blocked_tensor(spec.direction == BlurDirection::down ? blurred_down(activated, spec.filt)
                                                                 : blurred_up(activated, spec.filt));
}

class BlurFunction : public torch::autograd::Function<BlurFunction> {
 public:
  static constexpr std::size_t kInputs = 4;  // of forward(); the first three may require gradients
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const std::optional<Tensor>& gain,
                        const std::optional<Tensor>& shift, const std::shared_ptr<FastBlur::State>& state) {
    const BlurResult computed = compute(*state, x);
    ctx->save_for_backward({x, computed.moments, gain.value_or(Tensor()), shift.value_or(Tensor())});
    ctx->saved_data["state"] = held(state);
    return computed.y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto state = state_held<FastBlur::State>(ctx->saved_data["state"]);
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &moments = saved[1];
    if (at::GradMode::is_enabled()) {
      const auto by_layers = [&](const variable_list& in) {
        return variable_list{blur_by_libtorch(state->spec, in[0], {in[1], in[2]})};
      };
      variable_list results = gradients_by_libtorch({x, saved[2], saved[3]}, by_layers, gradients);
      results.resize(kInputs);
      return results;
    }
    const NormTensors parameters = {saved[2], saved[3]};
    const Tensor dy = aligned_contiguous(gradients[0]), dx = at::empty_like(x),
                 sums = parameters.defined() ? empty_norm_sums(x) : Tensor();
    const std::shared_ptr<const FusedBlur> blur = state->kernel(shape_of(state->spec, x));
    blur->backward(values(x), parameters.pointers(), values(moments), values(dy), place(dx), place(sums));
    const NormTensors of_norm = sums.defined() ? norm_gradients(sums) : NormTensors();
    return {dx, of_norm.gain, of_norm.shift, Tensor()};
  }
};

}  // namespace

FastBlur::FastBlur(FastBlurSpec spec, Isa isa) : state_(std::make_shared<State>()) {
  state_->spec = std::move(spec);
  state_->isa = isa;
}

bool FastBlur::supports(const Tensor& x) const {
  const FastBlurSpec& spec = state_->spec;
  if (!may_be_supported(x, state_->isa) || !is_cpu_float(spec.filt) || !spec.filt.is_contiguous())
    return false;
  const BlurShape shape = shape_of(spec, x);
  const std::vector<std::int64_t> filt = {shape.channels, 1, shape.side(), shape.side()};
  return spec.filt.sizes() == at::IntArrayRef(filt) && is_supported(shape) &&
         is_supported(spec.norm, shape.channels);
}

Tensor FastBlur::forward(const Tensor& x) const {
  if (!supports(x)) throw std::logic_error("FastBlur: unsupported tensor");
  const Tensor image = aligned_contiguous(to_blocked_tensor(x));
  const NormTensors& norm = state_->spec.norm;
  if (wants_gradient({image, norm.gain, norm.shift}))
    return BlurFunction::apply(image, if_defined(norm.gain), if_defined(norm.shift), state_);
  return compute(*state_, image).y;
}

}  // namespace torsor
