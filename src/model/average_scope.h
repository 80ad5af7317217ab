// A model with its averaged weights, for as long as somebody looks at it.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "model/model.h"

namespace torsor {

/// While one lives, the generators of a model have their averaged weights; then their own again, to the bit.
/// Does nothing for a model without an average. A step must not run meanwhile.
class AverageScope {
 public:
  explicit AverageScope(const Model& model);
  ~AverageScope();
  AverageScope(const AverageScope&) = delete;
  AverageScope& operator=(const AverageScope&) = delete;

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> own_;  // a network's tensor, and a copy of what it held
};

}  // namespace torsor
