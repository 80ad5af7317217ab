// A model that is training, as it is used: for those who look at what it makes of images.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/average_scope.h"
#include "model/evaluation.h"
#include "model/network_info.h"
#include "model/placement.h"

namespace torsor {

/// While one lives, networks are in evaluation mode, nothing has gradients, and generators have their
/// averaged weights where the model keeps some; then all is as it was, to the bit. A step must not run
/// meanwhile. The model must outlive it.
class ModelInUse {
 public:
  ModelInUse(const Model& model, const Placement& placement);

  /// What its network of this name makes of an image: [C,H,W] -> the result without the batch dimension,
  /// float32 on the CPU. Throws Error where it has no such network.
  at::Tensor run(const NetworkInfo& info, const at::Tensor& image) const;

 private:
  std::vector<NamedNetwork> networks_;
  Placement placement_;
  EvaluationScope evaluation_;
  AverageScope averaged_;
};

}  // namespace torsor
