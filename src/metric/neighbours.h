// How far two sets of feature vectors fill each other's neighbourhoods: precision and recall (Kynkaanniemi et
// al., "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019), density and
// coverage (Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "metric/metrics.h"

namespace torsor {

/// The radius r of a row is its distance to the k-th nearest other row of its set; d are Euclidean distances.
struct NeighbourScores {
  double precision = 0;  // share of the fakes with a real i such that d < r_i
  double recall = 0;     // share of the reals with a fake j such that d < r_j
  double density = 0;    // mean over the fakes of #{i: d < r_i} / k; may exceed 1
  double coverage = 0;   // share of the reals i whose nearest fake has d < r_i
};

/// real [N,d], fake [M,d], float64. In blocks of rows: needs N + M numbers and one block, not N x M.
/// Distances are sums of squared differences, so that those of equal rows are 0 and ties are ties. Throws
/// Error when a set has k rows or fewer.
NeighbourScores neighbour_scores(const at::Tensor& real, const at::Tensor& fake, std::int64_t k);

/// precision, recall, density, coverage with k = options.nearest_k. Intervals by the jackknife, since a row
/// drawn twice would be its own neighbour; none beyond 8000 images, whose distances would fill the memory.
MetricResults neighbour_metrics(const FeatureSets& sets, const MetricOptions& options);

}  // namespace torsor
