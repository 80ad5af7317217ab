#include "nn/weight_version.h"

#include <algorithm>
#include <numeric>

namespace torsor {

WeightVersion version_of(const at::Tensor& weight) {
  constexpr std::int64_t kSamples = 64;
  constexpr std::uint64_t kPrime = 1099511628211u;  // FNV-1a's
  WeightVersion version{weight.const_data_ptr(),
                        weight.is_inference() ? 0 : static_cast<std::int64_t>(weight._version()),
                        14695981039346656037u};
  const auto* bits = reinterpret_cast<const std::uint32_t*>(weight.const_data_ptr<float>());
  std::int64_t step = std::max<std::int64_t>(1, weight.numel() / kSamples);
  while (std::gcd(step, weight.numel()) > 1) --step;  // so that all channels and taps have their turn
  for (std::int64_t i = 0; i < weight.numel(); i += step)
    version.samples = (version.samples ^ bits[i]) * kPrime;
  return version;
}

}  // namespace torsor
