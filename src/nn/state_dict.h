// A module's parameters and buffers by their names, and back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/layers.h"

namespace torsor {

/// (name, tensor) of all parameters and buffers, in the order of Python's state_dict(). The tensors are the
/// live ones.
std::vector<std::pair<std::string, at::Tensor>> state_dict(const torch::nn::Module& module);

/// The names and shapes of a module made with ShapesOnly against values: throws as load_state_dict does, and
/// copies nothing.
void check_state_dict(const torch::nn::Module& module,
                      const std::vector<std::pair<std::string, at::Tensor>>& values,
                      const std::string& source);

/// Copies values into the module, converting device and dtype. Strict: a missing, an unexpected or a
/// misshapen tensor is an Error that names `source`, the first few keys, and both shapes. As the reference
/// does, InstanceNorm's leftover running_mean, running_var and num_batches_tracked are dropped where the
/// module has none.
void load_state_dict(torch::nn::Module& module, const std::vector<std::pair<std::string, at::Tensor>>& values,
                     const std::string& source);

/// What a module took over from weights that need not be its own.
struct TakenWeights {
  std::int64_t taken = 0, wanted = 0;  // tensors
  std::vector<std::string>
      not_taken;  // "model.1.weight is [64,1,7,7], here [64,3,7,7]", "model.4.bias is missing"
};

/// Copies every tensor whose name and shape are the module's, converting device and dtype; the others keep
/// their values.
TakenWeights take_matching(torch::nn::Module& module,
                           const std::vector<std::pair<std::string, at::Tensor>>& values);

}  // namespace torsor
