// How far images are from each other: over the whole image, and where they differ most.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// Of N pairs of images, both float64 [N].
struct ImageDistances {
  at::Tensor whole;  // the mean of |x - y| over all samples
  at::Tensor worst;  // the largest mean of |x - y| over the samples of a square patch
};

/// x, y [N,C,H,W]. Patches are an eighth of the shorter side wide (at least 4 pixels, at most the image) and
/// lie half a patch apart.
ImageDistances image_distances(const at::Tensor& x, const at::Tensor& y);

/// The largest mean of [N,H,W] over the same patches: float64 [N].
at::Tensor worst_patches(const at::Tensor& maps);

}  // namespace torsor
