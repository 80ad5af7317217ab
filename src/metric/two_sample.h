// Do two samples come from one distribution?
#pragma once

#include <ATen/core/Tensor.h>

#include "core/rng.h"

namespace torsor {

struct TwoSampleResult {
  double statistic = 0;  // estimate of 2 E|X-Y| - E|X-X'| - E|Y-Y'|, biased upwards by self pairs
  double p = 1;          // share of random splits with a statistic at least as large, this one included
};

/// The permutation test of the energy distance (Szekely and Rizzo, 2004) between the rows of x [n,d] and
/// y [m,d], float64, on the CPU. Exact level for any n and m; needs (n+m)^2 numbers. Throws Error when a
/// sample is empty or the columns differ.
TwoSampleResult energy_test(const at::Tensor& x, const at::Tensor& y, std::int64_t permutations, Rng& rng);

}  // namespace torsor
