// Named tensors in order, the common currency of all weight files.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace torsor {

/// (name, tensor) in file order; names are unique. Tensors are on the CPU, contiguous.
using TensorMap = std::vector<std::pair<std::string, at::Tensor>>;

/// The tensor of that name, or an undefined tensor.
at::Tensor find_tensor(const TensorMap& tensors, const std::string& name);

}  // namespace torsor
