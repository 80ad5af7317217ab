// Pixel distances for cycle and identity losses.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace torsor {

/// l1: |x-y|; l2: (x-y)^2. Mean over all elements, a scalar. Throws UsageError for another norm.
at::Tensor distance(const at::Tensor& x, const at::Tensor& y, const std::string& norm);

/// The same per sample: [N,...] -> [N]; its mean is distance().
at::Tensor distance_per_sample(const at::Tensor& x, const at::Tensor& y, const std::string& norm);

std::vector<std::string> distance_norms();

}  // namespace torsor
