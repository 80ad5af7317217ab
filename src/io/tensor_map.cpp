#include "io/tensor_map.h"

namespace torsor {

at::Tensor find_tensor(const TensorMap& tensors, const std::string& name) {
  for (const auto& [known, tensor] : tensors)
    if (known == name) return tensor;
  return {};
}

}  // namespace torsor
