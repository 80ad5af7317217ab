// Samples of known distributions.
#pragma once

#include <ATen/ATen.h>

#include "core/rng.h"
#include "metric/metrics.h"

namespace torsor::testing {

/// [n,d] of N(mean, 1).
inline at::Tensor normal_rows(std::int64_t n, std::int64_t d, double mean, Rng& rng) {
  at::Tensor out = at::empty({n, d}, at::kDouble);
  for (std::int64_t i = 0; i < n * d; ++i) out.data_ptr<double>()[i] = mean + rng.normal();
  return out;
}

/// Each row a group of its own.
inline FeatureSets separate(const at::Tensor& real, const at::Tensor& fake) {
  return {real, fake, ungrouped(real.size(0), fake.size(0))};
}

}  // namespace torsor::testing
