// Sums of the plain implementations, in float64. Internal to this layer.
#pragma once

#include <cstdint>
#include <vector>

namespace torsor {

inline std::vector<double> zeros(std::int64_t count) {
  return std::vector<double>(static_cast<std::size_t>(count));
}

/// Rounds each to float32.
inline void store(const std::vector<double>& sums, float* out) {
  for (std::size_t i = 0; i < sums.size(); ++i) out[i] = static_cast<float>(sums[i]);
}

}  // namespace torsor
