// Networks as they are used rather than trained.
#pragma once

#include <ATen/core/grad_mode.h>

#include <memory>
#include <utility>
#include <vector>

#include "model/model.h"

namespace torsor {

/// Evaluation mode without gradients for as long as it lives; then each module has the mode it was found in,
/// so that scopes nest and parts that are held in evaluation mode stay so.
class EvaluationScope {
 public:
  explicit EvaluationScope(const std::vector<NamedNetwork>& networks) {
    for (const auto& [name, network] : networks)
      for (auto& module : network->modules()) {
        const bool trains = module->is_training();
        found_.emplace_back(std::move(module), trains);
      }
    for (const auto& [name, network] : networks) network->eval();
  }
  ~EvaluationScope() {
    // A module hands its mode on to its children, which come after it.
    for (auto& [module, trains] : found_) module->train(trains);
  }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> found_;
  at::NoGradGuard no_grad_;
};

}  // namespace torsor
