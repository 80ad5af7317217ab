// Problems whose losses are known in closed form, trained by the same trainer as images.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/stop.h"
#include "data/dataset.h"
#include "model/model.h"
#include "train/schedule.h"
#include "train/trainer.h"

namespace torsor {

/// Named tensors to learn, each with the runs (independent initialisations) as its first dimension.
using ExactParameters = std::map<std::string, at::Tensor>;

/// Losses by name, one value a run: [runs]. Their sum is learnt; runs do not meet in it.
using ExactLosses = std::vector<std::pair<std::string, at::Tensor>>;

/// Many runs of one problem at once. Adam works on each number by itself, so each run learns as it would
/// alone.
class ExactModel : public Model {
 public:
  using Losses = std::function<ExactLosses(const ExactParameters&)>;

  /// The parameters are copied. Reported losses are means over the runs.
  ExactModel(ExactParameters start, Losses losses, const OptimizerOptions& optimizer);

  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override { return {{"parameters", network_}}; }
  std::vector<Optimizer*> optimizers() override { return {&optimizer_}; }
  std::vector<std::vector<LabelledImages>> sample(const Batch&) override { return {}; }
  std::vector<std::string> loss_names() const override;

  /// Detached copies, and the losses at them.
  ExactParameters parameters() const;
  ExactLosses losses() const;

 private:
  ExactParameters live() const;

  std::shared_ptr<Network> network_;
  Losses losses_;
  Optimizer optimizer_;
};

/// What an observer of such a training sees: the parameters after some steps.
using ExactWatch = std::function<void(std::int64_t step, const ExactParameters& parameters)>;

struct ExactTraining {
  std::int64_t steps = 1000;
  std::string lr_policy = "cosine";
  std::int64_t watch_every = 0;  // 0 = never
  std::uint64_t seed = 0;        // of what the dataset draws
};

/// A network that is nothing but its parameters: these, copied.
std::shared_ptr<Network> make_parameter_network(const ExactParameters& start);
ExactParameters parameters_of(const Network& network);

/// Trains any such model by batches of one item of `dataset` to the end of the schedule or until stopped.
void train_by_steps(Model& model, std::shared_ptr<const Dataset> dataset, const ExactTraining& training,
                    const StopFlag& stop, std::unique_ptr<Observer> observer = nullptr);

/// Trains to the end of the schedule or until stopped; `watch` sees the start too.
void train_exact(ExactModel& model, const ExactTraining& training, const StopFlag& stop,
                 const ExactWatch& watch = {});

}  // namespace torsor
