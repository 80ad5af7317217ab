#include "io/raw_tensor.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

std::optional<std::int64_t> count_elements(const std::vector<std::int64_t>& shape) {
  constexpr std::size_t kMaxDimensions = 64;
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 48;
  if (shape.size() > kMaxDimensions) return std::nullopt;
  std::int64_t spread = 1;
  bool any_zero = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    any_zero = any_zero || size == 0;
    if (__builtin_mul_overflow(spread, std::max<std::int64_t>(size, 1), &spread)) return std::nullopt;
    if (spread >= kMaxElements) return std::nullopt;
  }
  return any_zero ? 0 : spread;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape) sizes.push_back(std::to_string(size));
  return fmt::format("[{}]", join(sizes));
}

at::Tensor allocate_tensor(const std::vector<std::int64_t>& shape, at::ScalarType dtype,
                           const std::string& what) {
  try {
    return at::empty(shape, at::TensorOptions().dtype(dtype).device(at::kCPU));
  } catch (const c10::Error&) {
    const double bytes =
        static_cast<double>(count_elements(shape).value_or(0)) * static_cast<double>(c10::elementSize(dtype));
    fail("{}: needs {} of memory, which this machine does not have free", what, human_bytes(bytes));
  }
}

void settle_bools(const at::Tensor& tensor) {
  if (tensor.scalar_type() != at::kBool) return;
  auto* bytes = static_cast<unsigned char*>(tensor.data_ptr());
  std::transform(bytes, bytes + tensor.numel(), bytes, [](unsigned char b) { return b != 0 ? 1 : 0; });
}

}  // namespace torsor
