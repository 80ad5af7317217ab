// What it costs to turn one image into another.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/options.h"

namespace torsor {

struct CostOptions {
  std::string cost = "squared";  // of cost_names()
  double cost_power = 1.5;       // of power

  void describe(OptionSet& o);
  /// "the mean of |x - y|^1.5 over all numbers of an image": for a page and a protocol.
  std::string text() const;
};

/// squared, absolute, power: the mean over coordinates of |x - y|^2, |x - y| or |x - y|^cost_power, which is
/// strictly convex.
std::vector<std::string> cost_names();

/// Costs [n,m] float64 between x [n,...] and y [m,...], whose rows hold as many numbers. Exactly 0 between
/// equal rows; rounding never exceeds about 1e-10 of a cost. Computed in blocks: beside x and y it takes the
/// costs and two blocks of so many numbers. Throws Error for rows of different lengths.
at::Tensor pair_costs(const at::Tensor& x, const at::Tensor& y, const CostOptions& options,
                      std::int64_t block_numbers = 12'000'000);

}  // namespace torsor
