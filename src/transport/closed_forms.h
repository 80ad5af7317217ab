// Problems whose optimal transport is known in closed form: on the line, and between Gaussians.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace torsor {

/// The least mean of h(x - y) over all plans between points x [n] and y [m] of the line, for a convex h: that
/// of the monotone plan, which pairs sorted points (Santambrogio, "Optimal Transport for Applied
/// Mathematicians", 2015, theorem 2.9). Masses as in exact_transport(). Throws Error for no points and for
/// points that are not finite.
double line_transport(const std::vector<double>& x, const std::vector<double>& y,
                      const std::function<double(double)>& h, const std::vector<double>& x_masses = {},
                      const std::vector<double>& y_masses = {});

/// A power of a symmetric, positive semidefinite matrix [d,d]; eigenvalues that rounding made negative count
/// as 0.
at::Tensor symmetric_power(const at::Tensor& matrix, double exponent);

/// N(mean [d], covariance [d,d]), float64; the covariance is symmetric and positive semidefinite.
struct Gaussian {
  at::Tensor mean, covariance;
};

/// The squared 2-Wasserstein distance, |m - n|^2 + tr(S + T - 2 (S^1/2 T S^1/2)^1/2) (Gelbrich, Mathematische
/// Nachrichten 147, 1990; Bures 1969). Singular covariances too. Throws Error for shapes that do not fit or a
/// covariance that is none.
double bures_wasserstein(const Gaussian& from, const Gaussian& to);

/// x -> matrix (x - from) + to.
struct GaussianMap {
  at::Tensor matrix;    // [d,d], symmetric, positive semidefinite
  at::Tensor from, to;  // [d]

  /// [N,d] -> [N,d]
  at::Tensor operator()(const at::Tensor& points) const;
};

/// The optimal map for the squared distance, with matrix S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2. Throws as
/// bures_wasserstein() does, and Error where `from` is singular: then no map is the only one.
GaussianMap gaussian_map(const Gaussian& from, const Gaussian& to);

}  // namespace torsor
