// Small networks on vectors, many at a time: independent starts of one architecture, on which questions about
// ResNets and flows are asked where the answer can be computed (S2-Q5, S2-C3, S2-E1).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// Weights by name; the first dimension of each is the run.
using VectorWeights = std::map<std::string, at::Tensor>;

/// A block is r(x) = W2 relu(W1 x + b1) + b2 with `width` hidden units.
struct VectorNetwork {
  /// residual: `blocks` blocks, x + r_k(x) after one another; plain: the same blocks without the addition;
  /// flow: one block that sees the time as a further coordinate, dx/dt = v(x, t), as `blocks` Euler steps.
  std::string kind = "residual";
  std::int64_t dimension = 2;
  std::int64_t blocks = 4;
  std::int64_t width = 32;
};

/// The weights of hidden layers are kaiming normal, those of a block's last layer from N(0, gain^2), biases
/// 0; in float32. (In an image network norms fix the scale of what is hidden, and the gain decides how much a
/// block adds.) Throws std::logic_error for an unknown kind.
VectorWeights start_vector_network(const VectorNetwork& network, std::int64_t runs, double gain, Rng& rng);

struct VectorPass {
  at::Tensor out;                     // [R,n,d]
  std::vector<at::Tensor> residuals;  // K of [R,n,d], what each block or step adds; none of a plain network
};

/// x [R,n,d] or [1,n,d].
VectorPass vector_pass(const VectorNetwork& network, const VectorWeights& weights, const at::Tensor& x);

/// The velocity v(x, t) of a flow: x [R,n,d] or [1,n,d] -> [R,n,d]. Throws std::logic_error for another kind.
at::Tensor vector_velocity(const VectorNetwork& network, const VectorWeights& weights, const at::Tensor& x,
                           double t);

/// A discriminator of vectors: two hidden layers of `width`, leaky relu 0.2. Drawn as kaiming normal.
VectorWeights start_vector_discriminator(std::int64_t dimension, std::int64_t width, std::int64_t runs,
                                         Rng& rng);

/// Raw scores [R,n,1] of x [R,n,d].
at::Tensor vector_scores(const VectorWeights& weights, const at::Tensor& x);

}  // namespace torsor
