// Transport with an entropy term: Sinkhorn's steps in the log domain.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace torsor {

struct EntropicOptions {
  double epsilon = 0;               // weight of the entropy, in the units of the costs; above 0
  double tolerance = 1e-10;         // L1 error of the marginals, whose sum is 1
  std::int64_t most_steps = 20000;  // at `epsilon` itself

  /// Throws Error naming the field.
  void validate() const;
};

struct EntropicTransport {
  double cost = 0;   // sum of plan times cost
  double value = 0;  // cost + epsilon * KL(plan | product of the masses): what is minimised
  double error = 0;  // L1 error of the marginals
  std::int64_t steps = 0;
  at::Tensor dual_from, dual_to;  // [n], [m] float64
  at::Tensor plan;                // [n,m] float64
};

/// Minimises sum(P * C) + epsilon * KL(P | a b^T) over plans P of the masses a [n] and b [m] (each divided by
/// its sum; empty: all points alike) for costs C [n,m], in float64. epsilon falls by halves from the largest
/// cost to its value (epsilon-scaling: Schmitzer, "Stabilized Sparse Scaling Algorithms for Entropy
/// Regularized Transport Problems", SIAM J. Sci. Comput. 41, 2019), and steps of Newton's method help
/// Sinkhorn's where those are slow (Brauer, Clason, Lorenz, Wirth, "A Sinkhorn-Newton method for entropic
/// optimal transport", arXiv 1710.06635); nothing but differences of costs is
/// exponentiated, so costs may be of any size. Throws Error for costs that are not finite, for masses as
/// exact_transport() does, for an epsilon that float64 cannot resolve beside the costs, and when the
/// tolerance is not reached, with what was.
EntropicTransport entropic_transport(const at::Tensor& costs, const EntropicOptions& options,
                                     const std::vector<double>& from_masses = {},
                                     const std::vector<double>& to_masses = {});

/// The costs between two sets of points, and inside each.
struct SelfCosts {
  at::Tensor across;    // [n,m]
  at::Tensor from, to;  // [n,n], [m,m]
};

/// value(across) - (value(from) + value(to)) / 2: 0 for equal sets, and for costs such as the squared
/// distance positive for others (Feydy et al., "Interpolating between Optimal Transport and MMD using
/// Sinkhorn Divergences", AISTATS 2019, equation 3). Throws as entropic_transport() does.
double sinkhorn_divergence(const SelfCosts& costs, const EntropicOptions& options,
                           const std::vector<double>& from_masses = {},
                           const std::vector<double>& to_masses = {});

}  // namespace torsor
