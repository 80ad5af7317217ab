// How far images are from each other: over the whole image, and where they differ most.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "audit/estimate.h"
#include "core/rng.h"

namespace torsor {

/// Of N pairs of images, both float64 [N].
struct ImageDistances {
  at::Tensor whole;  // the mean of |x - y| over all samples
  at::Tensor worst;  // the largest mean of |x - y| over the samples of a square patch
};

/// x, y [N,C,H,W]. Patches are an eighth of the shorter side wide (at least 4 pixels, at most the image) and
/// lie half a patch apart.
ImageDistances image_distances(const at::Tensor& x, const at::Tensor& y);

/// Means of them.
struct MeanDistances {
  double whole = 0, worst = 0;
};

/// Of pairs of images of different groups: each image with `partners` others, drawn at random. Throws Error
/// where all are of one group.
MeanDistances unrelated_distances(const at::Tensor& images, const std::vector<std::int64_t>& groups,
                                  std::int64_t partners, Rng& rng);

}  // namespace torsor
