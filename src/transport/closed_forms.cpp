#include "transport/closed_forms.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "transport/masses.h"

namespace torsor {

namespace {

constexpr double kRounding = 1e-9;  // of the largest eigenvalue: what a covariance may miss being one by

struct LinePoint {
  double place = 0, mass = 0;
};

std::vector<LinePoint> sorted_points(const std::vector<double>& places, const std::vector<double>& masses,
                                     const char* what) {
  if (places.empty()) fail("transport on the line: there are no {}", what);
  const std::vector<double> shares = checked_masses(masses, std::ssize(places), what);
  std::vector<LinePoint> out;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!std::isfinite(places[i])) fail("transport on the line: one of the {} is {}", what, places[i]);
    out.push_back({places[i], shares[i]});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const LinePoint& p, const LinePoint& q) { return p.place < q.place; });
  return out;
}

struct Eigen {
  at::Tensor values, vectors;  // ascending [d], [d,d] with eigenvectors as columns
  at::Tensor power(double exponent) const {
    return at::matmul(vectors * values.pow(exponent).unsqueeze(0), vectors.t());
  }
};

Eigen eigen_of(const at::Tensor& matrix) {
  auto [values, vectors] = at::linalg_eigh((matrix + matrix.t()) / 2);
  return {values.clamp_min(0), vectors};
}

void check_gaussian(const Gaussian& g) {
  const std::int64_t d = g.mean.numel();
  if (g.mean.dim() != 1 || d < 1 || g.covariance.dim() != 2 || g.covariance.size(0) != d ||
      g.covariance.size(1) != d)
    fail(
        "a Gaussian needs a mean [d] and a covariance [d,d]; here the mean has {} and the covariance {} "
        "numbers",
        d, g.covariance.numel());
  if (!g.mean.isfinite().all().item<bool>() || !g.covariance.isfinite().all().item<bool>())
    fail("a Gaussian's mean and covariance must be finite");
  const at::Tensor covariance = g.covariance.to(at::kDouble);
  const double size = covariance.abs().max().item<double>();
  if ((covariance - covariance.t()).abs().max().item<double>() > kRounding * size)
    fail("a Gaussian's covariance must be symmetric");
  const double least = at::linalg_eigvalsh(covariance).min().item<double>();
  if (least < -kRounding * size) fail("a Gaussian's covariance has a negative eigenvalue, {}", least);
}

void check_pair(const Gaussian& from, const Gaussian& to) {
  check_gaussian(from);
  check_gaussian(to);
  if (from.mean.numel() != to.mean.numel())
    fail("the Gaussians have {} and {} dimensions", from.mean.numel(), to.mean.numel());
}

}  // namespace

double line_transport(const std::vector<double>& x, const std::vector<double>& y,
                      const std::function<double(double)>& h, const std::vector<double>& x_masses,
                      const std::vector<double>& y_masses) {
  const std::vector<LinePoint> from = sorted_points(x, x_masses, "points x"),
                               to = sorted_points(y, y_masses, "points y");
  double cost = 0, left_from = from[0].mass, left_to = to[0].mass;
  for (std::size_t i = 0, j = 0; i < from.size() && j < to.size();) {
    const double mass = std::min(left_from, left_to);
    if (mass > 0) cost += mass * h(from[i].place - to[j].place);
    left_from -= mass;
    left_to -= mass;
    // One of them is used up exactly; where both sides are at their last point rounding is all that is left.
    if (left_from <= 0 && ++i < from.size()) left_from = from[i].mass;
    if (left_to <= 0 && ++j < to.size()) left_to = to[j].mass;
  }
  return cost;
}

at::Tensor symmetric_power(const at::Tensor& matrix, double exponent) {
  return eigen_of(matrix).power(exponent);
}

double bures_wasserstein(const Gaussian& from, const Gaussian& to) {
  check_pair(from, to);
  const at::Tensor s = from.covariance.to(at::kDouble), t = to.covariance.to(at::kDouble);
  // tr (S^1/2 T S^1/2)^1/2 is the sum of the singular values of S^1/2 T^1/2, which no root makes inexact.
  const at::Tensor shared = at::linalg_svdvals(at::matmul(symmetric_power(s, 0.5), symmetric_power(t, 0.5)));
  const at::Tensor means = (from.mean.to(at::kDouble) - to.mean.to(at::kDouble)).square().sum();
  return std::max(0.0, (means + s.trace() + t.trace() - 2 * shared.sum()).item<double>());
}

at::Tensor GaussianMap::operator()(const at::Tensor& points) const {
  return at::matmul(points.to(at::kDouble) - from, matrix.t()) + to;
}

GaussianMap gaussian_map(const Gaussian& from, const Gaussian& to) {
  check_pair(from, to);
  const Eigen s = eigen_of(from.covariance.to(at::kDouble));
  const double least = s.values.min().item<double>(), most = s.values.max().item<double>();
  if (least <= kRounding * most)
    fail(
        "the covariance that is mapped from is singular (eigenvalues from {:.3g} to {:.3g}): the optimal "
        "map is not the only one",
        least, most);
  const at::Tensor root = s.power(0.5), inverse = s.power(-0.5);
  const at::Tensor middle =
      symmetric_power(at::matmul(at::matmul(root, to.covariance.to(at::kDouble)), root), 0.5);
  return {at::matmul(at::matmul(inverse, middle), inverse), from.mean.to(at::kDouble),
          to.mean.to(at::kDouble)};
}

}  // namespace torsor
