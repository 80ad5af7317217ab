// Named tensors in order, the common currency of all weight files.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace torsor {

class Checksum;

/// (name, tensor) in file order; names are unique. Tensors are on the CPU, contiguous.
using TensorMap = std::vector<std::pair<std::string, at::Tensor>>;

/// The tensor of that name, or an undefined tensor.
at::Tensor find_tensor(const TensorMap& tensors, const std::string& name);

/// Names and bytes of all, in their order; tensors may be on any device.
void add_tensors(Checksum& checksum, const TensorMap& tensors);

}  // namespace torsor
