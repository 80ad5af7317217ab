#include "nn/norm_gradient.h"

#include <ATen/ATen.h>

namespace torsor {

at::Tensor with_norm_gradient(const at::Tensor& normed, NormGradient gradient) {
  if (gradient == NormGradient::planes && normed.size(0) == 1 && normed.requires_grad())
    normed.register_hook([](const at::Tensor& g) { return g.contiguous(); });
  return normed;
}

}  // namespace torsor
