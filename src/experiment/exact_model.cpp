#include "experiment/exact_model.h"

#include <ATen/ATen.h>
#include <torch/types.h>

#include "train/trainer.h"

namespace torsor {

namespace {

struct ParameterNetwork : Network {
  explicit ParameterNetwork(const ExactParameters& start) {
    for (const auto& [name, tensor] : start) register_parameter(name, tensor.detach().clone());
  }
  at::Tensor forward(const at::Tensor& x) override { return x; }
  SizeRule size_rule() const override { return {}; }
};

/// The trainer's loader wants something to load: one empty item.
class NothingToLoad : public Dataset {
 public:
  std::int64_t size() const override { return 1; }
  Batch get(std::int64_t, Rng&) const override {
    Batch batch;
    batch.tensors["nothing"] = at::zeros({1});
    return batch;
  }
};

class Watcher : public Observer {
 public:
  Watcher(const ExactModel& model, std::int64_t every, ExactWatch watch)
      : model_(model), every_(every), watch_(std::move(watch)) {}
  std::string name() const override { return "watcher"; }
  void on_start(const TrainState& state) override { watch_(state.step, model_.parameters()); }
  void after_step(TrainState& state, const StepScalars&) override {
    if (state.step % every_ == 0) watch_(state.step, model_.parameters());
  }

 private:
  const ExactModel& model_;
  std::int64_t every_;
  ExactWatch watch_;
};

}  // namespace

std::shared_ptr<Network> make_parameter_network(const ExactParameters& start) {
  return std::make_shared<ParameterNetwork>(start);
}

ExactParameters parameters_of(const Network& network) {
  ExactParameters out;
  for (const auto& item : network.named_parameters()) out[item.key()] = item.value();
  return out;
}

ExactModel::ExactModel(ExactParameters start, Losses losses, const OptimizerOptions& optimizer)
    : network_(make_parameter_network(start)),
      losses_(std::move(losses)),
      optimizer_("opt", optimizer, network_->parameters()) {}

StepReport ExactModel::step(StepContext& context) {
  context.batches.next();
  StepReport report;
  report.batches = report.images = 1;
  at::Tensor total;
  for (const auto& [name, values] : losses_(live())) {
    report.losses.emplace_back(name, values.detach().mean().item<double>());
    total = total.defined() ? total + values.sum() : values.sum();
  }
  optimizer_.zero_grad();
  total.backward();
  context.sync.sync(optimizer_);
  optimizer_.step();
  return report;
}

std::vector<std::string> ExactModel::loss_names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : losses()) names.push_back(name);
  return names;
}

ExactParameters ExactModel::live() const { return parameters_of(*network_); }

ExactParameters ExactModel::parameters() const {
  ExactParameters out;
  for (const auto& [name, tensor] : live()) out[name] = tensor.detach().clone();
  return out;
}

ExactLosses ExactModel::losses() const {
  const at::NoGradGuard no_grad;
  return losses_(live());
}

void train_by_steps(Model& model, std::shared_ptr<const Dataset> dataset, const ExactTraining& training,
                    const StopFlag& stop, std::unique_ptr<Observer> observer) {
  // One step is one epoch, so that the learning rate follows the steps.
  ScheduleOptions schedule;
  schedule.epochs = 0;
  schedule.epochs_decay = training.steps;
  schedule.lr_policy = training.lr_policy;
  Loader loader(std::move(dataset), LoaderOptions{1, 0, false, training.seed, 0}, {});
  TrainState state(training.seed);
  state.epochs = state.total_steps = training.steps;
  Trainer trainer(model, loader, Schedule(schedule), std::move(state));
  if (observer) trainer.add(std::move(observer));
  trainer.run(stop);
}

void train_exact(ExactModel& model, const ExactTraining& training, const StopFlag& stop,
                 const ExactWatch& watch) {
  std::unique_ptr<Observer> watcher;
  if (watch)
    watcher = std::make_unique<Watcher>(model, std::max<std::int64_t>(1, training.watch_every), watch);
  train_by_steps(model, std::make_shared<NothingToLoad>(), training, stop, std::move(watcher));
}

}  // namespace torsor
