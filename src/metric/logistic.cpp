#include "metric/logistic.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace torsor {

namespace {

// The problem in one vector of parameters, the intercept last.
struct Problem {
  at::Tensor rows;   // [n,d+1], the last column 1
  at::Tensor signs;  // [n]
  at::Tensor share;  // [n], the a_i
  at::Tensor decay;  // [d+1], 0 for the intercept

  double value(const at::Tensor& at_w) const {
    const at::Tensor loss = -(share * at::log_sigmoid(signs * at::mv(rows, at_w))).sum();
    return (loss + (decay * at_w.square()).sum() / 2).item<double>();
  }
};

Problem problem_of(const at::Tensor& rows, const at::Tensor& classes, double penalty) {
  const std::int64_t n = rows.size(0), d = rows.size(1);
  const double ones = classes.sum().item<double>(), zeros = static_cast<double>(n) - ones;
  if (ones == 0 || zeros == 0) fail("logistic regression needs rows of both classes");
  Problem p;
  p.rows = at::cat({rows, at::ones({n, 1}, at::kDouble)}, 1);
  p.signs = 2 * classes - 1;
  p.share = static_cast<double>(n) / 2 * (classes / ones + (1 - classes) / zeros);
  p.decay = at::full({d + 1}, penalty, at::kDouble);
  p.decay[d] = 0;
  return p;
}

struct Step {
  at::Tensor direction;  // [d+1]
  double decrease = 0;   // that Newton's model promises, twice
};

Step newton_step(const Problem& p, const at::Tensor& w) {
  const at::Tensor miss = at::sigmoid(-p.signs * at::mv(p.rows, w));  // [n]
  const at::Tensor gradient = p.decay * w - at::mv(p.rows.t(), p.share * p.signs * miss);
  const at::Tensor curvature = (p.share * miss * (1 - miss)).unsqueeze(1);
  const at::Tensor hessian = at::matmul(p.rows.t(), p.rows * curvature) + at::diag(p.decay);
  const at::Tensor direction = -at::linalg_solve(hessian, gradient);
  return {direction, -at::dot(gradient, direction).item<double>()};
}

// The first of the step, its half, its quarter ... that lowers the value enough (Armijo).
at::Tensor searched(const Problem& p, const at::Tensor& w, const Step& step) {
  const double here = p.value(w);
  for (double length = 1; length > 1e-10; length /= 2) {
    at::Tensor there = w + length * step.direction;
    if (p.value(there) <= here - 1e-4 * length * step.decrease) return there;
  }
  return w;
}

}  // namespace

at::Tensor LogisticFit::log_odds(const at::Tensor& rows) const { return at::mv(rows, weights) + intercept; }

LogisticFit fit_logistic(const at::Tensor& rows, const at::Tensor& classes, double penalty) {
  const Problem p = problem_of(rows, classes, penalty);
  const std::int64_t d = rows.size(1);
  at::Tensor w = at::zeros({d + 1}, at::kDouble);
  for (int steps = 0; steps < 100; ++steps) {
    const Step step = newton_step(p, w);
    if (step.decrease < 1e-12 * static_cast<double>(rows.size(0)))
      return {w.narrow(0, 0, d).clone(), w[d].item<double>()};
    w = searched(p, w, step);
  }
  fail("logistic regression of {} rows does not converge; a larger penalty helps", rows.size(0));
}

}  // namespace torsor
