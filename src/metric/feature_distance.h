// How far apart the features of the two images of a pair are.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// Euclidean distances row by row, [N,d] and [N,d] -> [N], float64. Throws Error for other shapes.
at::Tensor feature_distances(const at::Tensor& real, const at::Tensor& fake);

}  // namespace torsor
