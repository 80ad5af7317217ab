// A generator's residual blocks as steps of a path (S2-Q5): what the steps add up to.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

namespace torsor {

/// Of each image, from the residuals r_1 ... r_K of x_{k+1} = x_k + r_k.
struct BlockEnergy {
  at::Tensor blocks;  // [N,K] float64: K * mean(r_k^2) over the elements of the block
  /// [N] float64: |r_1 + ... + r_K| / (|r_1| + ... + |r_K|): 1 where all point one way, 1 where all are 0;
  /// not defined where the blocks have several shapes.
  at::Tensor straightness;

  /// [N]: the sum over blocks, the integral of |v|^2 of the flow with steps of 1/K whose speed is v = K r_k
  /// (Benamou and Brenier, Numerische Mathematik 84, 2000).
  at::Tensor energy() const;
  /// K numbers that sum to 1: each block's share of the energy of all images. All equal where there is none.
  std::vector<double> shares() const;
};

/// residuals: K tensors [N,...]. Throws Error when there is none.
BlockEnergy block_energy(const std::vector<at::Tensor>& residuals);

/// Of all images, from that of batches.
BlockEnergy joined(const std::vector<BlockEnergy>& batches);

}  // namespace torsor
