// Logistic regression with weight decay, by Newton's method.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

struct LogisticFit {
  at::Tensor weights;  // [d]
  double intercept = 0;
  /// Log odds of class 1, [n,d] -> [n].
  at::Tensor log_odds(const at::Tensor& rows) const;
};

/// Minimises sum_i a_i log(1 + exp(-s_i (w.x_i + b))) + penalty / 2 |w|^2, s_i = 1 for class 1 and -1 for
/// class 0 and a_i such that both classes weigh the same and all n together n. rows [n,d] float64, classes
/// [n] of 0 and 1 float64, each present; penalty > 0. Deterministic; at most a hundred steps, of n d^2 each.
/// Throws Error when a class is missing or it does not converge.
LogisticFit fit_logistic(const at::Tensor& rows, const at::Tensor& classes, double penalty);

}  // namespace torsor
