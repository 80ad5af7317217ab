#include "nn/ode.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/registry.h"

namespace torsor {

namespace {

RungeKutta euler() { return {1, {0}, {{}}, {1}}; }

RungeKutta midpoint() { return {2, {0, 0.5}, {{}, {0.5}}, {0, 1}}; }

// Kutta's second method of order 4.
RungeKutta three_eighths() {
  return {4,
          {0, 1.0 / 3, 2.0 / 3, 1},
          {{}, {1.0 / 3}, {-1.0 / 3, 1}, {1, -1, 1}},
          {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8}};
}

RungeKutta dormand_prince() {
  const std::vector<double> fifth = {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0};
  const std::vector<double> embedded = {
      5179.0 / 57600, 0, 7571.0 / 16695, 393.0 / 640, -92097.0 / 339200, 187.0 / 2100, 1.0 / 40};
  RungeKutta out{5,
                 {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1},
                 {{},
                  {1.0 / 5},
                  {3.0 / 40, 9.0 / 40},
                  {44.0 / 45, -56.0 / 15, 32.0 / 9},
                  {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
                  {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
                  {fifth.begin(), fifth.end() - 1}},
                 fifth};
  for (std::size_t i = 0; i < fifth.size(); ++i) out.errors.push_back(fifth[i] - embedded[i]);
  return out;
}

const Registry<RungeKutta>& solver_table() {
  static const Registry<RungeKutta> table = [] {
    Registry<RungeKutta> r("ODE solver");
    r.add("euler", euler());
    r.add("midpoint", midpoint());
    r.add("rk4", three_eighths());
    r.add("dopri5", dormand_prince());
    return r;
  }();
  return table;
}

// Tensors, and what their velocities were.
struct TensorAlgebra {
  const VelocityField& velocity;
  std::vector<at::Tensor> slopes = {};
  at::Tensor known_slope = {};  // the first of the step, where it is known

  at::Tensor field(const at::Tensor& x, double t) {
    slopes.push_back(slopes.empty() && known_slope.defined() ? known_slope : velocity(x, t));
    return slopes.back();
  }
  at::Tensor sum(const std::vector<std::pair<double, at::Tensor>>& terms) const {
    at::Tensor out = terms.front().second * terms.front().first;
    for (std::size_t i = 1; i < terms.size(); ++i) out = at::add(out, terms[i].second, terms[i].first);
    return out;
  }
  at::Tensor add(const at::Tensor& x, const at::Tensor& y) const { return x + y; }
};

// One integration by steps that adapt.
class AdaptiveWay {
 public:
  AdaptiveWay(const RungeKutta& method, const VelocityField& field, const OdeStep& whole, double tolerance)
      : method_(method), field_(field), whole_(whole), tolerance_(tolerance) {}

  std::vector<TakenStep> go(at::Tensor x) {
    std::vector<TakenStep> taken;
    OdeStep step = whole_;
    at::Tensor slope;
    for (std::int64_t tries = 0; tries < kMostOdeSteps; ++tries) {
      TensorAlgebra algebra{field_, {}, slope};
      const at::Tensor increment = ode_increment(method_, algebra, x, step), next = x + increment;
      const double ratio = error_ratio(algebra, x, next, step);
      slope = algebra.slopes.front();
      if (ratio <= 1) {
        taken.push_back({step, increment});
        if (is_last(step)) return taken;
        x = next;
        slope = algebra.slopes.back();  // v(x_{n+1}) is the last of a step and the first of the next
        step.time = step.end();
      }
      step.length = next_length(step, ratio);
    }
    fail(
        "the flow is stiff: {} steps of {} lead from time {:g} to {:.4g} at a tolerance of {:g}; raise "
        "--flow-tolerance, or take fixed steps (--flow-solver rk4)",
        kMostOdeSteps, "dopri5", whole_.time, step.time, tolerance_);
  }

 private:
  double error_ratio(const TensorAlgebra& algebra, const at::Tensor& x, const at::Tensor& next,
                     const OdeStep& step) const {
    std::vector<std::pair<double, at::Tensor>> terms;
    for (std::size_t i = 0; i < method_.errors.size(); ++i)
      if (method_.errors[i] != 0) terms.emplace_back(step.length * method_.errors[i], algebra.slopes[i]);
    const at::Tensor allowed = (at::maximum(x.abs(), next.abs()) + 1) * tolerance_;
    const double ratio = (algebra.sum(terms) / allowed).square().mean().sqrt().item<double>();
    // A try too long may leave the range of floats, and a shorter one not.
    if (std::isfinite(ratio)) return ratio;
    if (!algebra.slopes.front().isfinite().all().item<bool>())
      fail("the velocities of the flow are not finite at time {:.4g}; the training has failed, or its input",
           step.time);
    return kHopeless;
  }

  bool is_last(const OdeStep& step) const {
    return std::abs(step.end() - whole_.end()) <= kTimeRounding * std::abs(whole_.length);
  }

  double next_length(const OdeStep& step, double ratio) const {
    constexpr double kSafety = 0.9, kMostGrowth = 10, kMostShrinking = 0.2;
    const double least = ratio < 1 ? 1 : kMostShrinking;
    const double wanted =
        ratio == 0
            ? kMostGrowth
            : std::min(kMostGrowth,
                       std::max(kSafety * std::pow(ratio, -1.0 / static_cast<double>(method_.order)), least));
    const double length = step.length * wanted, left = whole_.end() - step.time;
    return std::abs(length) >= std::abs(left) * (1 - kTimeRounding) ? left : length;
  }

  static constexpr double kHopeless = 1e10, kTimeRounding = 1e-12;

  const RungeKutta& method_;
  const VelocityField& field_;
  OdeStep whole_;
  double tolerance_;
};

}  // namespace

std::vector<std::string> ode_solvers() { return solver_table().names(); }

const RungeKutta& runge_kutta(const std::string& solver) { return solver_table().at(solver); }

at::Tensor ode_increment(const RungeKutta& method, const VelocityField& field, const at::Tensor& x,
                         const OdeStep& step) {
  TensorAlgebra algebra{field};
  return ode_increment(method, algebra, x, step);
}

std::vector<TakenStep> adaptive_steps(const RungeKutta& method, const VelocityField& field,
                                      const at::Tensor& x, const OdeStep& whole, double tolerance) {
  if (!method.adapts()) throw std::logic_error("this solver does not adapt its steps");
  const at::NoGradGuard no_grad;
  return AdaptiveWay(method, field, whole, tolerance).go(x);
}

}  // namespace torsor
