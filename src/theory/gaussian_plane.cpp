#include "theory/gaussian_plane.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace torsor {

namespace {

at::Tensor adjugate(const at::Tensor& m) {
  const at::Tensor a = m.select(-2, 0).select(-1, 0), b = m.select(-2, 0).select(-1, 1);
  const at::Tensor c = m.select(-2, 1).select(-1, 0), d = m.select(-2, 1).select(-1, 1);
  return at::stack({at::stack({d, -b}, -1), at::stack({-c, a}, -1)}, -2);
}

at::Tensor inverted(const at::Tensor& m) { return adjugate(m) / plane_det(m).unsqueeze(-1).unsqueeze(-1); }

at::Tensor applied(const at::Tensor& matrix, const at::Tensor& vector) {
  return at::matmul(matrix, vector.unsqueeze(-1)).squeeze(-1);
}

at::Tensor circle(const at::Tensor& angles) { return at::stack({at::cos(angles), at::sin(angles)}, -1); }

at::Tensor turn(std::int64_t angles) {
  return at::arange(angles, at::kDouble) * (2 * std::numbers::pi / angles);
}

}  // namespace

PlaneGaussian plane_gaussian(double mean_x, double mean_y, double scale_x, double scale_y, double angle) {
  const at::Tensor scales = at::diag(at::tensor({scale_x, scale_y}, at::kDouble));
  return {at::tensor({mean_x, mean_y}, at::kDouble),
          at::matmul(rotations(at::tensor({angle}, at::kDouble))[0], scales)};
}

AffineMaps linear_maps(const at::Tensor& matrix) {
  return {matrix, at::zeros({matrix.size(0), 2}, matrix.options())};
}

AffineMaps composed(const AffineMaps& outer, const AffineMaps& inner) {
  return {at::matmul(outer.matrix, inner.matrix), applied(outer.matrix, inner.shift) + outer.shift};
}

AffineMaps inverse(const AffineMaps& maps) {
  const at::Tensor matrix = inverted(maps.matrix);
  return {matrix, -applied(matrix, maps.shift)};
}

AffineMaps displacement(const AffineMaps& maps) {
  return {maps.matrix - at::eye(2, maps.matrix.options()), maps.shift};
}

AffineMaps gaussian_automorphism(const PlaneGaussian& x, const at::Tensor& orthogonal) {
  const at::Tensor matrix = at::matmul(at::matmul(x.root, orthogonal), inverted(x.root));
  return {matrix, x.mean - applied(matrix, x.mean)};
}

at::Tensor plane_det(const at::Tensor& m) {
  return m.select(-2, 0).select(-1, 0) * m.select(-2, 1).select(-1, 1) -
         m.select(-2, 0).select(-1, 1) * m.select(-2, 1).select(-1, 0);
}

// With W = root_to^-1 matrix root_from: (tr W W^T - 2 - 2 log|det W| + |root_to^-1 (mean - mean_to)|^2) / 2.
at::Tensor kl_push_forward(const AffineMaps& maps, const PlaneGaussian& from, const PlaneGaussian& to) {
  const at::Tensor whiten = inverted(to.root);
  const at::Tensor w = at::matmul(at::matmul(whiten, maps.matrix), from.root);
  const at::Tensor offset = applied(whiten, applied(maps.matrix, from.mean) + maps.shift - to.mean);
  return ((w * w).sum({-2, -1}) - 2 - 2 * at::log(at::abs(plane_det(w))) + (offset * offset).sum(-1)) / 2;
}

// The mean of |z| is sqrt(pi/2).
Quadrature circle_quadrature(std::int64_t angles) {
  return {circle(turn(angles)), at::full({angles}, std::sqrt(std::numbers::pi / 2) / angles, at::kDouble)};
}

// The density of |z| is r exp(-r^2/2): the midpoint rule, whose error is that of the value at 0, h^2/24; the
// origin takes it back with the weight that makes constants exact.
Quadrature plane_quadrature(std::int64_t angles, std::int64_t radii) {
  constexpr double kLargest = 8;  // beyond: 1e-14 of the mass
  const double step = kLargest / static_cast<double>(radii);
  const at::Tensor radius = (at::arange(radii, at::kDouble) + 0.5) * step;
  const at::Tensor share = radius * at::exp(-radius * radius / 2) * step;
  const at::Tensor points = (radius.view({-1, 1, 1}) * circle(turn(angles)).unsqueeze(0)).reshape({-1, 2});
  const at::Tensor weights = (share / angles).unsqueeze(1).expand({radii, angles}).reshape({-1});
  return {at::cat({points, at::zeros({1, 2}, at::kDouble)}), at::cat({weights, (1 - share.sum()).view({1})})};
}

at::Tensor expected_norm(const AffineMaps& maps, const PlaneGaussian& x, const Quadrature& quadrature,
                         const std::string& norm) {
  const at::Tensor matrix = at::matmul(maps.matrix, x.root);           // [R,2,2]
  const at::Tensor shift = applied(maps.matrix, x.mean) + maps.shift;  // [R,2]
  const at::Tensor images = at::matmul(quadrature.points, matrix.transpose(-1, -2)) + shift.unsqueeze(1);
  // The root of 0 has no derivative; a solution has it everywhere.
  const at::Tensor lengths =
      norm == "l1" ? at::abs(images).sum(-1) : at::sqrt((images * images).sum(-1) + 1e-24);
  return at::matmul(lengths, quadrature.weights);
}

at::Tensor rotations(const at::Tensor& angles) {
  const at::Tensor c = at::cos(angles), s = at::sin(angles);
  return at::stack({at::stack({c, -s}, -1), at::stack({s, c}, -1)}, -2);
}

at::Tensor reflections(const at::Tensor& angles) {
  const at::Tensor c = at::cos(angles), s = at::sin(angles);
  return at::stack({at::stack({c, s}, -1), at::stack({s, -c}, -1)}, -2);
}

PlaneParts plane_parts(const at::Tensor& m) {
  const at::Tensor p = m.select(-2, 0).select(-1, 0), q = m.select(-2, 0).select(-1, 1);
  const at::Tensor r = m.select(-2, 1).select(-1, 0), s = m.select(-2, 1).select(-1, 1);
  return {at::stack({(p + s) / 2, (r - q) / 2}, -1), at::stack({(p - s) / 2, (r + q) / 2}, -1)};
}

at::Tensor random_matrices(std::int64_t runs, Rng& rng) {
  constexpr double kMinDeterminant = 0.1;
  at::Tensor out = at::empty({runs, 2, 2}, at::kDouble);
  double* m = out.data_ptr<double>();
  for (std::int64_t k = 0; k < runs; ++k, m += 4) do {
      for (int i = 0; i < 4; ++i) m[i] = rng.normal();
    } while (std::abs(m[0] * m[3] - m[1] * m[2]) < kMinDeterminant);
  return out;
}

}  // namespace torsor
