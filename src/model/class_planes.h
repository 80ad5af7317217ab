// The class of an image as a discriminator sees it: planes behind the image's channels.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// Labels [N], whole numbers 0 to K-1, to [N,K,1,1] of the options' dtype and device: 1 in the label's plane,
/// else 0.
at::Tensor class_planes(const at::Tensor& labels, std::int64_t classes, const at::TensorOptions& options);

/// [N,C,H,W] and [N,K,1,1] to [N,C+K,H,W].
at::Tensor with_planes(const at::Tensor& images, const at::Tensor& planes);

}  // namespace torsor
