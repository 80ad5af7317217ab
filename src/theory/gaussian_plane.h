// Gaussians in the plane and affine translators between them, with their losses in closed form (or, for
// expected norms, by quadrature). Tensors are float64; R runs are computed side by side.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/rng.h"

namespace torsor {

/// N(mean, root root^T).
struct PlaneGaussian {
  at::Tensor mean;  // [2]
  at::Tensor root;  // [2,2], invertible
};

/// Standard normal when nothing is given.
PlaneGaussian plane_gaussian(double mean_x = 0, double mean_y = 0, double scale_x = 1, double scale_y = 1,
                             double angle = 0);

/// x -> matrix x + shift.
struct AffineMaps {
  at::Tensor matrix;  // [R,2,2]
  at::Tensor shift;   // [R,2]
};

/// Linear maps: no shift.
AffineMaps linear_maps(const at::Tensor& matrix);
AffineMaps composed(const AffineMaps& outer, const AffineMaps& inner);
AffineMaps inverse(const AffineMaps& maps);
/// x -> map(x) - x.
AffineMaps displacement(const AffineMaps& maps);
/// The automorphism root R root^-1 (x - mean) + mean of the Gaussian, for orthogonal R [R,2,2].
AffineMaps gaussian_automorphism(const PlaneGaussian& x, const at::Tensor& orthogonal);

/// KL(map_* from || to): [R]. Infinite for a singular map.
at::Tensor kl_push_forward(const AffineMaps& maps, const PlaneGaussian& from, const PlaneGaussian& to);

/// Points z and weights with E g(z) = sum w g(z) for z ~ N(0, I).
struct Quadrature {
  at::Tensor points;   // [K,2]
  at::Tensor weights;  // [K]
};
/// For functions with g(t z) = t g(z), t > 0, such as the norm of a linear map: points on a circle.
Quadrature circle_quadrature(std::int64_t angles);
/// For any function of moderate growth.
Quadrature plane_quadrature(std::int64_t angles, std::int64_t radii);

/// E ||map(x)|| under `x`, Euclidean ("l2") or the sum of absolute values ("l1"): [R].
at::Tensor expected_norm(const AffineMaps& maps, const PlaneGaussian& x, const Quadrature& quadrature,
                         const std::string& norm = "l2");

/// Orthogonal matrices [n,2,2] by angle: rotations, or reflections [[cos, sin], [sin, -cos]].
at::Tensor rotations(const at::Tensor& angles);
at::Tensor reflections(const at::Tensor& angles);

/// Every 2x2 matrix is [[a, -b], [b, a]] + [[c, d], [d, -c]]: its parts along the rotations and along the
/// reflections. Its singular values are | |(a,b)| +- |(c,d)| |.
struct PlaneParts {
  at::Tensor rotation;    // [R,2]: (a, b)
  at::Tensor reflection;  // [R,2]: (c, d)
};
PlaneParts plane_parts(const at::Tensor& matrix);

/// Determinants [R] of [R,2,2].
at::Tensor plane_det(const at::Tensor& matrix);

/// Matrices [runs,2,2] of independent standard normals with |det| of at least 0.1.
at::Tensor random_matrices(std::int64_t runs, Rng& rng);

}  // namespace torsor
