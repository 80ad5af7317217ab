// The kernel distance between two sets of feature vectors, KID (Binkowski, Sutherland, Arbel and Gretton,
// "Demystifying MMD GANs", ICLR 2018, section 4).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/rng.h"
#include "metric/metrics.h"

namespace torsor {

/// The unbiased estimate of MMD^2 for the kernel k(x,y) = (x.y / d + 1)^3: the mean of k(x_i,x_j) over i !=
/// j, plus that of y, minus twice that of k(x_i,y_j). May be negative. x [N,d], y [M,d]; in blocks, float64.
/// Throws Error for fewer than two rows of either.
double kernel_distance(const at::Tensor& x, const at::Tensor& y);

/// The estimates on random subsets of `size` rows of each, drawn without replacement.
struct SubsetDistances {
  double mean = 0;
  double deviation = 0;          // with 1/(n-1); 0 of one subset
  double spread_of_subsets = 0;  // with 1/n, which torch-fidelity prints
};
SubsetDistances subset_distances(const at::Tensor& x, const at::Tensor& y, std::int64_t subsets,
                                 std::int64_t size, Rng& rng);
/// From the subsets' values. Throws Error for none.
SubsetDistances summarize_subsets(const std::vector<double>& values);

/// kid: the full estimate; its standard error by the jackknife of U-statistics and a bootstrap interval, both
/// over groups (in a resample, copies of a group are not paired with each other); "subsets" where
/// options.kid_subsets asks for them. See Metric::of_sets.
MetricResults kernel_metric(const FeatureSets& sets, const MetricOptions& options);

}  // namespace torsor
