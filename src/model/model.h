// A model is named networks, optimisers and the mathematics of one step. The trainer owns time.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "data/batch.h"
#include "io/archive.h"
#include "model/named_network.h"
#include "model/optimizer.h"

namespace torsor {

/// Called with an optimiser's parameters before each of its steps: nothing on one rank, an all-reduce of the
/// gradients on several.
class GradientSync {
 public:
  virtual ~GradientSync() = default;
  virtual void sync(Optimizer& optimizer) {}
};

/// The inputs of a step, which pulls as many batches as it needs (a Wasserstein critic needs several).
struct StepContext {
  BatchSource& batches;
  RngStreams& rng;
  GradientSync& sync;
};

struct StepReport {
  std::vector<std::pair<std::string, double>>
      losses;                      // weighted as they enter the objective, in a fixed order
  std::int64_t images = 0;         // samples of the first domain consumed
  std::int64_t batches = 0;        // batches pulled
  std::vector<std::string> items;  // file names of the last batch, for messages

  /// Throws UsageError naming the losses there are.
  double loss(const std::string& name) const;
};

/// A labelled stack of images [N,C,H,W] in the range of the scaling, one column of a sample grid.
struct LabelledImages {
  std::string label;
  at::Tensor images;
};

class WeightAverage;

class Model {
 public:
  Model();
  virtual ~Model();

  virtual StepReport step(StepContext& context) = 0;
  virtual std::vector<NamedNetwork> networks() const = 0;
  virtual std::vector<Optimizer*> optimizers() = 0;

  /// What a sample grid shows for this batch, by row; evaluation mode, no gradient, no random numbers.
  virtual std::vector<std::vector<LabelledImages>> sample(const Batch& batch) = 0;

  /// Batches that one step pulls.
  virtual std::int64_t batches_per_step() const { return 1; }

  /// Names of the losses that step() reports, in order.
  virtual std::vector<std::string> loss_names() const = 0;

  /// Averages the generators' weights over the steps to come, beginning with the weights as they are; see
  /// WeightAverage, which also says what it throws.
  void keep_average(double decay);
  /// To be called once after each step; does nothing where no average is kept.
  void update_average();
  /// Null where none is kept.
  const WeightAverage* average() const { return average_.get(); }

  /// Everything that an exact continuation needs: weights and their average, moments, and what the model
  /// adds.
  void save(Archive& archive);
  void load(const Archive& archive);

 protected:
  virtual void save_extra(Archive&) const {}
  virtual void load_extra(const Archive&) {}

 private:
  std::unique_ptr<WeightAverage> average_;
};

/// The first network with a NaN or infinite weight and that weight's name, or "".
std::string non_finite_weight(const Model& model);

}  // namespace torsor
