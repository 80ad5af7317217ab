// Which images of a set a picture shows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace torsor {

/// Where the three largest of `values` [N] stand, and the three nearest to the median; each once.
std::vector<std::int64_t> worst_and_median(const at::Tensor& values);

}  // namespace torsor
