// Solvers of dx/dt = v(x, t): explicit Runge-Kutta methods with fixed steps, and one that adapts its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace torsor {

/// From `time` to time + length; a negative length goes back in time.
struct OdeStep {
  double time = 0, length = 0;
  double end() const { return time + length; }
};

/// x_{n+1} = x_n + h sum_i weights_i k_i, k_i = v(x_n + h sum_{j<i} stages_ij k_j, t + times_i h)
/// (Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section II.1).
struct RungeKutta {
  std::int64_t order = 1;
  std::vector<double> times;
  std::vector<std::vector<double>> stages;
  std::vector<double> weights;
  std::vector<double> errors =
      {};  // weights, less those of the embedded method; none of one with fixed steps
  bool adapts() const { return !errors.empty(); }
};

/// euler, midpoint, rk4 (the 3/8 rule, as torchdiffeq's of that name) and dopri5 (Dormand and Prince 1980),
/// which adapts its steps.
std::vector<std::string> ode_solvers();
/// Throws UsageError for another name.
const RungeKutta& runge_kutta(const std::string& solver);

/// x_{n+1} - x_n of one step, for anything that can be added: `algebra` has field(x, t), sum({{c, k}, ...})
/// and add(x, y).
template <class Algebra, class Value>
Value ode_increment(const RungeKutta& method, Algebra& algebra, const Value& x, const OdeStep& step) {
  using Terms = std::vector<std::pair<double, Value>>;
  std::vector<Value> slopes;
  const auto terms_of = [&](const std::vector<double>& factors) {
    Terms out;
    for (std::size_t j = 0; j < factors.size(); ++j)
      if (factors[j] != 0) out.emplace_back(step.length * factors[j], slopes[j]);
    return out;
  };
  for (std::size_t i = 0; i < method.times.size(); ++i) {
    const Terms terms = terms_of(method.stages[i]);
    slopes.push_back(algebra.field(terms.empty() ? x : algebra.add(x, algebra.sum(terms)),
                                   step.time + method.times[i] * step.length));
  }
  return algebra.sum(terms_of(method.weights));
}

/// v: [N,...] and a time -> [N,...].
using VelocityField = std::function<at::Tensor(const at::Tensor& x, double t)>;

/// The increment of one step of tensors; differentiable where v is.
at::Tensor ode_increment(const RungeKutta& method, const VelocityField& field, const at::Tensor& x,
                         const OdeStep& step);

/// A step that was taken, and by what it moved x.
struct TakenStep {
  OdeStep step;
  at::Tensor increment;
};

/// The most steps that a method may try on the way of one integration.
inline constexpr std::int64_t kMostOdeSteps = 1000;

/// The steps of a method that adapts them over `whole`, without gradients. A step stands when the root mean
/// square over all elements of error / (tolerance + tolerance * max(|x_n|, |x_{n+1}|)) is at most 1, and the
/// next one follows from it as torchdiffeq has it (safety 0.9, factors of 0.2 to 10); the first try is all of
/// the way. Throws Error for a velocity that is not finite, and where kMostOdeSteps tries do not lead to the
/// end: the flow is stiff, or the tolerance too small for x's number format.
std::vector<TakenStep> adaptive_steps(const RungeKutta& method, const VelocityField& field,
                                      const at::Tensor& x, const OdeStep& whole, double tolerance);

}  // namespace torsor
