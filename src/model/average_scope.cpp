#include "model/average_scope.h"

#include <torch/types.h>

#include "model/weight_average.h"
#include "nn/state_dict.h"

namespace torsor {

AverageScope::AverageScope(const Model& model) {
  if (model.average() == nullptr) return;
  const at::NoGradGuard no_grad;
  for (const auto& [name, network] : model.networks()) {
    const TensorMap* averaged = model.average()->of(name);
    if (averaged == nullptr) continue;
    const auto live = state_dict(*network);
    for (std::size_t i = 0; i < live.size(); ++i) {
      at::Tensor tensor = live[i].second;
      own_.emplace_back(tensor, tensor.detach().clone());
      tensor.copy_((*averaged)[i].second);
    }
  }
}

AverageScope::~AverageScope() {
  const at::NoGradGuard no_grad;
  // Backwards: of weights that two networks share, the first copy is their own.
  for (auto kept = own_.rbegin(); kept != own_.rend(); ++kept) kept->first.copy_(kept->second);
}

}  // namespace torsor
