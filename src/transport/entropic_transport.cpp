#include "transport/entropic_transport.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "transport/masses.h"

namespace torsor {

namespace {

constexpr std::int64_t kCoarseSteps = 20;    // at each epsilon on the way down
constexpr std::int64_t kBetweenChecks = 10;  // steps; a look at the marginals costs as much as half a step
constexpr double kShortest = 1.0 / 64;       // of Newton's steps
constexpr double kResolved = 1e-13;          // an epsilon below this share of the costs is lost in rounding

void check_entropic_costs(const at::Tensor& costs) {
  if (costs.dim() != 2 || costs.numel() == 0)
    fail(
        "entropic transport: expected costs of at least one point to one point, got {} numbers in {} "
        "dimensions",
        costs.numel(), costs.dim());
  if (!costs.isfinite().all().item<bool>())
    fail("entropic transport: costs must be finite, but some are NaN or infinite");
}

// The rows of the plan always have their masses; how far the columns miss theirs is the error.
class Sinkhorn {
 public:
  Sinkhorn(const at::Tensor& costs, const std::vector<double>& from, const std::vector<double>& to)
      : least_(costs.min().item<double>()),
        costs_(costs - least_),
        a_(at::tensor(from, at::kDouble)),
        b_(at::tensor(to, at::kDouble)),
        log_a_(a_.log()),
        log_b_(b_.log()),
        g_(at::zeros_like(b_)) {}

  EntropicTransport solve(const EntropicOptions& options) {
    const double largest = costs_.max().item<double>();
    if (options.epsilon < kResolved * largest)
      fail(
          "entropic transport: an epsilon of {} is lost in the rounding of costs up to {}; take {:.3g} or "
          "more, or solve exactly",
          options.epsilon, largest, kResolved * largest);
    for (double epsilon = largest; epsilon > 2 * options.epsilon; epsilon /= 2) run(epsilon, kCoarseSteps);
    EntropicTransport out;
    do {
      run(options.epsilon, kBetweenChecks);
      out.steps += kBetweenChecks;
      out.error = error();
      if (out.error > options.tolerance) out.error = improve(out.error);
    } while (out.error > options.tolerance && out.steps < options.most_steps);
    if (!(out.error <= options.tolerance))
      fail(
          "entropic transport: after {} steps the marginals are off by {:.3g}, wanted were {:.3g}; take a "
          "larger epsilon than {} or more steps",
          out.steps, out.error, options.tolerance, options.epsilon);
    finish(out);
    return out;
  }

 private:
  void run(double epsilon, std::int64_t steps) {
    epsilon_ = epsilon;
    fit_rows();
    for (std::int64_t k = 0; k < steps; ++k) {
      fit_columns();
      fit_rows();
    }
  }

  void fit_rows() {
    f_ = -epsilon_ * at::logsumexp((g_.unsqueeze(0) - costs_) / epsilon_ + log_b_.unsqueeze(0), 1);
  }
  void fit_columns() {
    g_ = -epsilon_ * at::logsumexp((f_.unsqueeze(1) - costs_) / epsilon_ + log_a_.unsqueeze(1), 0);
  }

  at::Tensor plan() const {
    const at::Tensor exponent = (f_.unsqueeze(1) + g_.unsqueeze(0) - costs_) / epsilon_;
    return exponent.exp() * a_.unsqueeze(1) * b_.unsqueeze(0);
  }

  double error() const { return (plan().sum(0) - b_).abs().sum().item<double>(); }

  // One step of Newton's method on the dual as a function of g, shortened until the error falls. Where a plan
  // is close to a permutation, Sinkhorn's own steps hardly move.
  double improve(double before) {
    const at::Tensor p = plan(), columns = p.sum(0);
    const at::Tensor by_row = at::where(a_ > 0, a_.reciprocal(), at::zeros_like(a_)).unsqueeze(1);
    // g is determined up to a constant, and not at all where there is no mass: ones make the matrix regular.
    const at::Tensor curvature = at::diag(columns + (b_ == 0).to(at::kDouble)) -
                                 at::matmul(p.t(), p * by_row) + 1.0 / static_cast<double>(b_.numel());
    const auto [direction, info] = at::linalg_solve_ex(curvature, b_ - columns);
    if (info.item<int>() != 0 || !direction.isfinite().all().item<bool>()) return before;
    const at::Tensor kept = g_;
    for (double length = 1; length >= kShortest; length /= 2) {
      g_ = kept + length * epsilon_ * direction;
      fit_rows();
      if (const double now = error(); now < before / 2) return now;
    }
    g_ = kept;
    fit_rows();
    return before;
  }

  void finish(EntropicTransport& out) const {
    out.plan = plan();
    const at::Tensor mass = out.plan.sum();
    out.cost = ((out.plan * costs_).sum() / mass).item<double>() + least_;
    out.value = ((f_ * a_).sum() + (g_ * b_).sum()).item<double>() + least_;
    out.dual_from = f_ + least_;
    out.dual_to = g_;
  }

  double least_;  // taken off, so that what is left is resolved
  at::Tensor costs_, a_, b_, log_a_, log_b_, f_, g_;
  double epsilon_ = 1;
};

}  // namespace

void EntropicOptions::validate() const {
  if (!(epsilon > 0) || !std::isfinite(epsilon))
    fail("entropic transport: epsilon is {}; it must be above 0", epsilon);
  if (!(tolerance > 0)) fail("entropic transport: the tolerance is {}; it must be above 0", tolerance);
  if (most_steps < 1) fail("entropic transport: at least one step is needed, got {}", most_steps);
}

EntropicTransport entropic_transport(const at::Tensor& costs, const EntropicOptions& options,
                                     const std::vector<double>& from_masses,
                                     const std::vector<double>& to_masses) {
  options.validate();
  check_entropic_costs(costs);
  return Sinkhorn(costs.to(at::kCPU, at::kDouble), checked_masses(from_masses, costs.size(0), "rows"),
                  checked_masses(to_masses, costs.size(1), "columns"))
      .solve(options);
}

double sinkhorn_divergence(const SelfCosts& costs, const EntropicOptions& options,
                           const std::vector<double>& from_masses, const std::vector<double>& to_masses) {
  const double across = entropic_transport(costs.across, options, from_masses, to_masses).value;
  const double from = entropic_transport(costs.from, options, from_masses, from_masses).value;
  const double to = entropic_transport(costs.to, options, to_masses, to_masses).value;
  return across - (from + to) / 2;
}

}  // namespace torsor
