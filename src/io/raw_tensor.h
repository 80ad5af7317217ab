// Tensors from untrusted shapes and raw bytes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace torsor {

/// The number of elements of a shape; nothing when a size is negative, there are more than 64 dimensions, or
/// the product (zero sizes counted as one, so that strides cannot overflow either) is 2^48 or more.
std::optional<std::int64_t> count_elements(const std::vector<std::int64_t>& shape);

/// "[2, 3, 32]".
std::string shape_text(const std::vector<std::int64_t>& shape);

/// An uninitialised contiguous CPU tensor; `shape` must have passed count_elements. Throws Error that starts
/// with `what` when memory runs out.
at::Tensor allocate_tensor(const std::vector<std::int64_t>& shape, at::ScalarType dtype,
                           const std::string& what);

/// Makes every non-zero byte of a bool tensor a one: any other byte in a bool is undefined behaviour. Leaves
/// other dtypes alone. `tensor` must be contiguous and on the CPU.
void settle_bools(const at::Tensor& tensor);

}  // namespace torsor
