// Points and costs for the tests of transport.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/rng.h"

namespace torsor::testing {

/// [n,d] float64 of N(mean, 1).
inline at::Tensor normal_points(std::int64_t n, std::int64_t d, double mean, Rng& rng) {
  at::Tensor out = at::empty({n, d}, at::kDouble);
  for (std::int64_t i = 0; i < n * d; ++i) out.data_ptr<double>()[i] = mean + rng.normal();
  return out;
}

/// Mean squared differences of rows: [n,m].
inline at::Tensor squared_costs(const at::Tensor& x, const at::Tensor& y) {
  return (x.unsqueeze(1) - y.unsqueeze(0)).square().mean(2);
}

}  // namespace torsor::testing
