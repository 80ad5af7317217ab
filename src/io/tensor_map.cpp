#include "io/tensor_map.h"

#include <ATen/ATen.h>

#include "io/checksum.h"

namespace torsor {

at::Tensor find_tensor(const TensorMap& tensors, const std::string& name) {
  for (const auto& [known, tensor] : tensors)
    if (known == name) return tensor;
  return {};
}

void add_tensors(Checksum& checksum, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor stored = tensor.to(at::kCPU).contiguous();
    checksum.update(name.data(), name.size());
    checksum.update(stored.data_ptr(), stored.nbytes());
  }
}

}  // namespace torsor
