#include "nn/velocity.h"

#include <ATen/autocast_mode.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include "core/error.h"
#include "nn/blocks.h"
#include "nn/fast_tensors.h"

namespace torsor {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Velocity::Velocity(const VelocityShape& shape) {
  const auto append_conv = [&](std::int64_t in, std::int64_t out) {
    model_->append(std::make_shared<ReflectionPad>(1));
    model_->append(std::make_shared<Conv>(ConvShape{in, out, 3, 1, 0, Bias::yes}));
  };
  append_conv(shape.channels + 1, shape.width);
  model_->append(std::make_shared<Relu>());
  for (std::int64_t i = 0; i < shape.blocks; ++i) model_->append(std::make_shared<PlainBlock>(shape.width));
  append_conv(shape.width, shape.channels);
  register_module("model", model_);
}

Tensor Velocity::forward(const Tensor& x, double t) {
  return run_.forward(at::constant_pad_nd(x, {0, 0, 0, 0, 0, 1}, t), *this);
}

GraphValue Velocity::describe(GraphSink& sink, const GraphValue& x, double t) const {
  return model_->describe(sink, sink.append_channel(x, t));
}

OwnInit Velocity::own_init(std::optional<double> gain) const {
  constexpr double kLastGain = 0.1;
  OwnInit out;
  for (const auto& module : model_->modules(/*include_self=*/false)) out[module.get()] = {"kaiming", {}};
  out[model_->layers().back().get()] = {"xavier", gain.value_or(kLastGain)};
  return out;
}

namespace {

// Autocast as it was when this was made.
struct AutocastState {
  explicit AutocastState(at::DeviceType of)
      : device(of),
        enabled(at::autocast::is_autocast_enabled(of)),
        dtype(at::autocast::get_autocast_dtype(of)) {}
  void restore() const {
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, dtype);
  }
  at::DeviceType device;
  bool enabled;
  at::ScalarType dtype;
};

// Until its end autocast is as it was in another place.
class AutocastAgain {
 public:
  explicit AutocastAgain(const AutocastState& state) : before_(state.device) {
    state.restore();
    at::autocast::increment_nesting();
  }
  ~AutocastAgain() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    before_.restore();
  }
  AutocastAgain(const AutocastAgain&) = delete;
  AutocastAgain& operator=(const AutocastAgain&) = delete;

 private:
  AutocastState before_;
};

struct StepState {
  const RungeKutta& method;
  std::shared_ptr<Velocity> velocity;
  OdeStep step;
  AutocastState autocast;

  Tensor increment(const Tensor& x) const {
    return ode_increment(
        method, [this](const Tensor& y, double t) { return velocity->forward(y, t); }, x, step);
  }
};

class StepFunction : public torch::autograd::Function<StepFunction> {
 public:
  // The parameters are inputs so that autograd tracks them.
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList parameters,
                        const std::shared_ptr<StepState>& state, const std::optional<Tensor>& known) {
    variable_list saved = {x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["state"] = held(state);
    return known ? *known : state->increment(x);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    if (at::GradMode::is_enabled())
      fail("the gradient of a flow cannot be differentiated again, since its steps are computed anew for it");
    const auto state = state_held<StepState>(ctx->saved_data["state"]);
    const variable_list saved = ctx->get_saved_variables();  // throws where a weight was modified in place
    const at::AutoGradMode with_gradients(true);
    const AutocastAgain autocast(state->autocast);
    variable_list inputs = {saved[0].detach().requires_grad_(ctx->needs_input_grad(0))}, wanted;
    inputs.insert(inputs.end(), saved.begin() + 1, saved.end());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (ctx->needs_input_grad(i)) wanted.push_back(inputs[i]);
    const variable_list found =
        torch::autograd::grad({state->increment(inputs[0])}, wanted, {gradients[0]}, /*retain_graph=*/false,
                              /*create_graph=*/false, /*allow_unused=*/true);
    variable_list results(inputs.size() + 2);
    for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
      if (ctx->needs_input_grad(i)) results[i] = found[next++];
    return results;
  }
};

}  // namespace

Tensor checkpointed_increment(const RungeKutta& method, const std::shared_ptr<Velocity>& velocity,
                              const Tensor& x, const OdeStep& step, const Tensor& known) {
  const auto state =
      std::make_shared<StepState>(StepState{method, velocity, step, AutocastState(x.device().type())});
  std::vector<Tensor> inputs = velocity->parameters();
  const std::vector<Tensor> parameters = inputs;
  inputs.push_back(x);
  if (!wants_gradient(inputs)) return known.defined() ? known : state->increment(x);
  return StepFunction::apply(x, at::TensorList(parameters), state, if_defined(known));
}

}  // namespace torsor
