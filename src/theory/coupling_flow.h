// A small invertible generative model: two affine couplings with random weights, as in RealNVP.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "core/rng.h"

namespace torsor {

/// R^d -> R^d, a diffeomorphism. One half of the coordinates is scaled and shifted by functions of the other,
/// then the other way round. Tensors [N,d], float64.
class CouplingFlow {
 public:
  /// d even and positive; throws Error otherwise.
  CouplingFlow(std::int64_t d, Rng& rng);
  at::Tensor forward(const at::Tensor& z) const;
  at::Tensor inverse(const at::Tensor& x) const;
  /// log |det| of the Jacobian of forward() at z: [N].
  at::Tensor log_det(const at::Tensor& z) const;

 private:
  struct Coupling {
    at::Tensor scale_in, scale_out, shift_in, shift_out;  // [d/2,d/2]
  };
  static at::Tensor log_scale(const Coupling& c, const at::Tensor& other);
  static at::Tensor shift(const Coupling& c, const at::Tensor& other);

  std::int64_t half_;
  std::array<Coupling, 2> couplings_;
};

/// A random normal matrix [rows,columns].
at::Tensor random_normal(std::int64_t rows, std::int64_t columns, Rng& rng);

/// A rotation drawn uniformly from SO(d): [d,d].
at::Tensor random_rotation(std::int64_t d, Rng& rng);

}  // namespace torsor
