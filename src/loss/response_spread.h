// How many places of an image answer to a change of a few pixels: the sparsity of a translator's Jacobian.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/rng.h"

namespace torsor {

/// Changes one square block of pixels of each image [N,C,H,W]: side an eighth of the shorter side of the
/// image (at least 1), at a position that is uniform over those there are, each of its samples by +0.1 or
/// -0.1 with equal probability; the rest stays. Values may leave the range of the images.
at::Tensor nudged(const at::Tensor& images, Rng& rng);

/// For x, x' = nudged(x), and what a translator G makes of them, with d = G(x') - G(x) and e = x' - x:
///
///     |d|_1 / (sqrt(n) (|d|_2 + 0.01 |e|_2)), n the number of samples of d,
///
/// by image: [N,C,H,W] -> [N], 0 to 1. d / 0.1 is the Jacobian at x, to first order, times a random vector
/// that is 0 outside of a random mask: a masked finite difference (Shrestha, Timilsina, Nguyen and Fu, ICML
/// 2026, from whom the idea of such a regulariser is; mask, signs and normalisation are torsor's). |d|_1 /
/// |d|_2 is the measure of sparsity that no scaling of d changes, so that G gains nothing by answering less:
/// near 1 where every sample answers alike, sqrt(k / n) where k of n do. The second term of the denominator
/// makes it 0, and not a matter of rounding, where G hardly answers.
at::Tensor response_spread(const at::Tensor& x, const at::Tensor& x_nudged, const at::Tensor& y,
                           const at::Tensor& y_nudged);

}  // namespace torsor
