// The Frechet distance between two sets of feature vectors (Heusel et al., "GANs Trained by a Two Time-Scale
// Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017, equation 6).
#pragma once

#include <ATen/core/Tensor.h>

#include "metric/metrics.h"

namespace torsor {

/// How the centred rows enter. as_rows: as they are. reduced: by the R of their QR decomposition, accumulated
/// over blocks of rows, which needs d x d numbers only. by_size: reduced where there are more rows than
/// columns. All give the same number, also of covariances without full rank.
enum class FrechetForm { by_size, as_rows, reduced };

/// |mu_x - mu_y|^2 + tr S_x + tr S_y - 2 tr (S_x S_y)^(1/2), covariances with 1/(N-1), in float64. The last
/// trace is the sum of the singular values of X Y^T, X and Y the centred rows divided by sqrt(N-1): no matrix
/// is inverted and no square root taken. x [N,d], y [M,d]; throws Error for fewer than two rows of either.
/// With fewer rows than columns it is well-defined, and biased upwards by much.
double frechet_distance(const at::Tensor& x, const at::Tensor& y, FrechetForm form = FrechetForm::by_size);

/// fid: the distance, a jackknife interval of its mean at these numbers of images, and a warning when there
/// are fewer images than features. See Metric::of_sets.
MetricResults frechet_metric(const FeatureSets& sets, const MetricOptions& options);

}  // namespace torsor
