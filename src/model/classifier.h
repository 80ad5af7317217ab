// A classifier as a model: learns labels by cross-entropy, through the same trainer as everything else.
#pragma once

#include <memory>
#include <mutex>

#include "model/model.h"
#include "model/placement.h"
#include "nn/classifier.h"
#include "nn/init.h"

namespace torsor {

class Classifier : public Model {
 public:
  /// Initialises from (seed, "init.classifier"). Throws UsageError for unusable options.
  Classifier(const ClassifierOptions& options, const OptimizerOptions& optimizer, const Placement& placement,
             std::uint64_t seed);

  /// Needs "image" [N,C,side,side] in [-1,1] and "label" [N], whole numbers. Losses: cross_entropy, and
  /// error, the share of the batch that it gets wrong while training.
  StepReport step(StepContext& context) override;
  std::vector<NamedNetwork> networks() const override { return {{"classifier", network_}}; }
  std::vector<Optimizer*> optimizers() override { return {optimizer_.get()}; }
  std::vector<std::vector<LabelledImages>> sample(const Batch&) override { return {}; }
  std::vector<std::string> loss_names() const override { return {"cross_entropy", "error"}; }

  /// The most likely classes [N] of images, in evaluation mode. Thread-safe.
  at::Tensor predict(const at::Tensor& images) const;

  const ClassifierOptions& options() const { return options_; }

 protected:
  void save_extra(Archive& archive) const override;
  void load_extra(const Archive& archive) override;

 private:
  ClassifierOptions options_;
  Placement placement_;
  std::shared_ptr<Network> network_;
  at::Generator dropout_generator_;
  std::unique_ptr<Optimizer> optimizer_;
  mutable std::mutex predicting_;  // the mode is the network's, not the call's
};

}  // namespace torsor
