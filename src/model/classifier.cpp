#include "model/classifier.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include "model/evaluation.h"
#include "model/generator_state.h"

namespace torsor {

Classifier::Classifier(const ClassifierOptions& options, const OptimizerOptions& optimizer,
                       const Placement& placement, std::uint64_t seed)
    : options_(options),
      placement_(placement),
      network_(make_classifier(options)),
      dropout_generator_(at::make_generator<at::CPUGeneratorImpl>(derive_seed(seed, "dropout"))) {
  InitOptions init;
  init.init_type = "kaiming";
  init_weights(*network_, init, derive_seed(seed, "init.classifier"));
  set_placement(*network_, placement);
  network_->train();
  set_dropout_generator(*network_, dropout_generator_);
  optimizer_ = std::make_unique<Optimizer>("opt", optimizer, network_->parameters());
}

StepReport Classifier::step(StepContext& context) {
  const Batch batch = context.batches.next();
  const at::Tensor labels = batch.at("label").to(placement_.device);  // [N]
  const AutocastScope autocast(placement_);
  const at::Tensor images = batch.at("image").to(placement_.device, placement_.dtype);
  const at::Tensor scores = network_->forward(images).flatten(1).to(at::kFloat);  // [N,classes]
  const at::Tensor loss = at::cross_entropy_loss(scores, labels);
  optimizer_->zero_grad();
  loss.backward();
  context.sync.sync(*optimizer_);
  optimizer_->step();
  StepReport report;
  report.losses = {{"cross_entropy", loss.item<double>()},
                   {"error", (scores.detach().argmax(1) != labels).to(at::kDouble).mean().item<double>()}};
  report.images = images.size(0);
  report.batches = 1;
  if (const auto names = batch.names.find("image"); names != batch.names.end()) report.items = names->second;
  return report;
}

at::Tensor Classifier::predict(const at::Tensor& images) const {
  const std::lock_guard lock(predicting_);
  const EvaluationScope evaluation(networks());
  const AutocastScope autocast(placement_);
  return network_->forward(images.to(placement_.device, placement_.dtype)).flatten(1).argmax(1).to(at::kCPU);
}

void Classifier::save_extra(Archive& archive) const {
  save_generator(archive, "dropout_generator", dropout_generator_);
}

void Classifier::load_extra(const Archive& archive) {
  load_generator(archive, "dropout_generator", dropout_generator_);
}

}  // namespace torsor
