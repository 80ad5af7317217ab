// How far apart unrelated images of a domain are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "audit/estimate.h"
#include "core/rng.h"
#include "data/image_distances.h"

namespace torsor {

/// Means of ImageDistances.
struct MeanDistances {
  double whole = 0, worst = 0;
};

/// Of pairs of images of different groups: each image with `partners` others, drawn at random. Throws Error
/// where all are of one group.
MeanDistances unrelated_distances(const at::Tensor& images, const std::vector<std::int64_t>& groups,
                                  std::int64_t partners, Rng& rng);

}  // namespace torsor
