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

/// Copies values into the module, converting device and dtype. Strict: a missing, an unexpected or a
/// misshapen tensor is an Error that names `source`, the first few keys, and both shapes. As the reference
/// does, InstanceNorm's leftover running_mean, running_var and num_batches_tracked are dropped where the
/// module has none.
void load_state_dict(torch::nn::Module& module, const std::vector<std::pair<std::string, at::Tensor>>& values,
                     const std::string& source);

}  // namespace torsor
