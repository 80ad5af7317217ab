// Networks as they are used rather than trained.
#pragma once

#include <ATen/core/grad_mode.h>

#include <utility>
#include <vector>

#include "model/model.h"

namespace torsor {

/// Evaluation mode without gradients for as long as it lives.
class EvaluationScope {
 public:
  explicit EvaluationScope(std::vector<NamedNetwork> networks) : networks_(std::move(networks)) {
    for (auto& [name, network] : networks_) network->eval();
  }
  ~EvaluationScope() {
    for (auto& [name, network] : networks_) network->train();
  }
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  std::vector<NamedNetwork> networks_;
  at::NoGradGuard no_grad_;
};

}  // namespace torsor
