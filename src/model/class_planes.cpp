#include "model/class_planes.h"

#include <torch/types.h>

namespace torsor {

at::Tensor class_planes(const at::Tensor& labels, std::int64_t classes, const at::TensorOptions& options) {
  return at::one_hot(labels, classes).to(options).unsqueeze(2).unsqueeze(3);
}

at::Tensor with_planes(const at::Tensor& images, const at::Tensor& planes) {
  return at::cat({images, planes.expand({-1, -1, images.size(2), images.size(3)})}, 1);
}

}  // namespace torsor
