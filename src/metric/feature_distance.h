// How far apart the features of two images are.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

struct FeatureDistances {
  at::Tensor relative_l2;  // [N] |x - y| / sqrt((|x|^2 + |y|^2) / 2): 0 for equal ones, sqrt(2) for
                           // orthogonal ones of one length, at most 2
  at::Tensor cosine;       // [N] 1 - x.y / (|x| |y|): 0 for one direction, 1 for orthogonal ones, at most 2
};

/// Of the rows of x and y, [N,d] each, in float64. Two rows of zeros are equal; a row of zeros is orthogonal
/// to any other. Throws Error for other shapes.
FeatureDistances feature_distances(const at::Tensor& x, const at::Tensor& y);

}  // namespace torsor
