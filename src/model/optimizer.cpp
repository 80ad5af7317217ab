#include "model/optimizer.h"

#include <fmt/format.h>

#include <torch/csrc/autograd/variable.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

namespace torsor {

namespace {

using torch::optim::AdamParamState;
using torch::optim::SGDParamState;

std::unique_ptr<torch::optim::Optimizer> make_inner(const OptimizerOptions& o,
                                                    const std::vector<at::Tensor>& parameters) {
  if (o.optimizer == "adam")
    return std::make_unique<torch::optim::Adam>(
        parameters, torch::optim::AdamOptions(o.lr).betas({o.beta1, o.beta2}).eps(1e-8));
  return std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(o.lr).momentum(o.momentum));
}

void save_state(Archive& archive, const std::string& prefix, const torch::optim::OptimizerParamState& state) {
  if (const auto* adam = dynamic_cast<const AdamParamState*>(&state)) {
    archive.put(prefix + "step", Json(adam->step()));
    archive.put(prefix + "exp_avg", adam->exp_avg());
    archive.put(prefix + "exp_avg_sq", adam->exp_avg_sq());
  } else if (const auto* sgd = dynamic_cast<const SGDParamState*>(&state)) {
    if (sgd->momentum_buffer().defined()) archive.put(prefix + "momentum_buffer", sgd->momentum_buffer());
  }
}

// Restores onto the parameter's own device and dtype.
std::unique_ptr<torch::optim::OptimizerParamState> load_state(const Archive& archive,
                                                              const std::string& prefix,
                                                              const at::Tensor& parameter) {
  if (archive.has_value(prefix + "step")) {
    auto state = std::make_unique<AdamParamState>();
    archive.take(prefix + "step", [&](const Json& saved) { state->step(json_count(saved)); });
    state->exp_avg(archive.tensor_like(prefix + "exp_avg", parameter));
    state->exp_avg_sq(archive.tensor_like(prefix + "exp_avg_sq", parameter));
    return state;
  }
  if (archive.has_tensor(prefix + "momentum_buffer")) {
    auto state = std::make_unique<SGDParamState>();
    state->momentum_buffer(archive.tensor_like(prefix + "momentum_buffer", parameter));
    return state;
  }
  return nullptr;
}

}  // namespace

void OptimizerOptions::describe(OptionSet& o) {
  o.add("optimizer", optimizer, "optimiser of all networks").choices({"adam", "sgd"});
  o.add("lr", lr, "initial learning rate").above(0).changeable().common();
  o.add("lr_d", lr_d, "the discriminators' initial learning rate [lr]").above(0).changeable();
  o.add("beta1", beta1, "Adam's first decay rate").range(0, 0.9999999);
  o.add("beta2", beta2, "Adam's second decay rate").range(0, 0.9999999);
  o.add("momentum", momentum, "SGD's momentum").range(0, 0.9999999);
  o.add("ema", ema,
        "decay of a moving average of the generators' weights, which samples, translate and export then use; "
        "0.999 is common; 0 = none")
      .range(0, 0.9999999)
      .common();
}

Optimizer::Optimizer(std::string name, const OptimizerOptions& options, std::vector<at::Tensor> parameters)
    : name_(std::move(name)),
      base_lr_(options.lr),
      parameters_(std::move(parameters)),
      inner_(make_inner(options, parameters_)) {}

double Optimizer::lr() const { return inner_->param_groups().front().options().get_lr(); }

void Optimizer::set_lr_factor(double factor) {
  for (auto& group : inner_->param_groups()) group.options().set_lr(base_lr_ * factor);
}

void Optimizer::zero_grad() { inner_->zero_grad(); }

void Optimizer::step() {
  inner_->step();
  // libtorch writes through data(), which autograd does not count; who keeps something made of weights does.
  for (const at::Tensor& parameter : parameters_) torch::autograd::impl::bump_version(parameter);
}

void Optimizer::save(Archive& archive) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto found = inner_->state().find(parameters_[i].unsafeGetTensorImpl());
    if (found != inner_->state().end()) save_state(archive, fmt::format("{}/{}/", name_, i), *found->second);
  }
}

void Optimizer::load(const Archive& archive) {
  inner_->state().clear();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto state = load_state(archive, fmt::format("{}/{}/", name_, i), parameters_[i]);
    if (state) inner_->state()[parameters_[i].unsafeGetTensorImpl()] = std::move(state);
  }
}

}  // namespace torsor
