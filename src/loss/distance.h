// Pixel distances for cycle and identity losses.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace torsor {

/// l1: |x-y|; l2: (x-y)^2; each the mean over all elements, a scalar. euclidean: each sample's ||x-y||_2 over
/// all its elements, then the mean over samples: unlike l2 a norm (S0-Q1), and unlike both it grows with the
/// root of the number of elements. x, y [N,...]. Throws UsageError for another norm.
at::Tensor distance(const at::Tensor& x, const at::Tensor& y, const std::string& norm);

/// The same per sample: [N,...] -> [N]; its mean is distance() but for rounding.
at::Tensor distance_per_sample(const at::Tensor& x, const at::Tensor& y, const std::string& norm);

std::vector<std::string> distance_norms();

}  // namespace torsor
