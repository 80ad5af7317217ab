// Solvers of dx/dt = v(x, t): against torchdiffeq and SciPy (make_ode_golden.py), their orders, steps that
// adapt.
#include "nn/ode.h"

#include <cmath>

#include "core/json.h"
#include "nn_test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

at::Tensor tensor_of(const Json& json) {
  std::vector<double> flat;
  for (const Json& row : json) {
    if (row.is_number()) flat.push_back(row.get<double>());
    for (const Json& value : row)
      if (row.is_array()) flat.push_back(value.get<double>());
  }
  const at::Tensor out = at::tensor(flat, at::kDouble);
  return json.front().is_array() ? out.reshape({static_cast<std::int64_t>(json.size()), -1}) : out;
}

double distance(const at::Tensor& x, const at::Tensor& y) { return (x - y).abs().max().item<double>(); }

at::Tensor by_fixed_steps(const std::string& solver, const VelocityField& v, at::Tensor x,
                          const OdeStep& whole, std::int64_t steps) {
  const double length = whole.length / static_cast<double>(steps);
  for (std::int64_t i = 0; i < steps; ++i)
    x = x + ode_increment(runge_kutta(solver), v, x, {whole.time + static_cast<double>(i) * length, length});
  return x;
}

at::Tensor adaptively(const VelocityField& v, at::Tensor x, const OdeStep& whole, double tolerance) {
  for (const TakenStep& taken : adaptive_steps(runge_kutta("dopri5"), v, x, whole, tolerance))
    x = x + taken.increment;
  return x;
}

class OdeGolden : public ::testing::Test {
 protected:
  const Json golden_ =
      read_json(std::filesystem::path(TORSOR_TEST_DATA).parent_path() / "nn" / "ode_golden.json");
  at::Tensor number(const char* name) const { return tensor_of(golden_.at("problem").at(name)); }
  const VelocityField v_ = [inner = number("inner"), of_time = number("of_time"), shift = number("shift"),
                            outer = number("outer")](const at::Tensor& x, double t) {
    return at::matmul(at::tanh(at::matmul(x, inner.t()) + of_time * t + shift), outer.t());
  };
  const std::map<std::string, OdeStep> ways_ = {{"forwards", {0, 1}}, {"backwards", {1, -1}}};
};

TEST_F(OdeGolden, FixedStepsAreTorchdiffeqs) {
  for (const auto& [way, whole] : ways_)
    for (const char* solver : {"euler", "midpoint", "rk4"})
      for (const auto& [steps, golden] : golden_.at(way).at(solver).items()) {
        const at::Tensor x = by_fixed_steps(solver, v_, number("start"), whole, std::stoll(steps));
        EXPECT_LT(distance(x, tensor_of(golden)), 1e-13) << way << " " << solver << " " << steps;
      }
}

TEST_F(OdeGolden, StepsThatAdaptLeadWhereScipyAndTorchdiffeqArrive) {
  for (const auto& [way, whole] : ways_) {
    const at::Tensor x = adaptively(v_, number("start"), whole, 1e-10);
    EXPECT_LT(distance(x, tensor_of(golden_.at(way).at("scipy"))), 1e-9) << way;
    EXPECT_LT(distance(x, tensor_of(golden_.at(way).at("dopri5"))), 1e-7) << way;
  }
}

// Half the step, and the error falls by two to the order.
TEST_F(OdeGolden, EverySolverHasItsOrder) {
  for (const auto& [way, whole] : ways_) {
    const at::Tensor exact = tensor_of(golden_.at(way).at("scipy"));
    for (const std::string& solver : ode_solvers()) {
      const auto error = [&](std::int64_t steps) {
        return distance(by_fixed_steps(solver, v_, number("start"), whole, steps), exact);
      };
      const double order = std::log2(error(24) / error(48));
      EXPECT_GT(order, static_cast<double>(runge_kutta(solver).order) - 0.3) << way << " " << solver;
      EXPECT_LT(order, static_cast<double>(runge_kutta(solver).order) + 0.9) << way << " " << solver;
    }
  }
}

TEST_F(OdeGolden, TheErrorFollowsTheToleranceAndSoDoTheSteps) {
  const at::Tensor exact = tensor_of(golden_.at("forwards").at("scipy"));
  std::size_t before = 0;
  for (const double tolerance : {1e-3, 1e-5, 1e-7, 1e-9}) {
    const auto steps = adaptive_steps(runge_kutta("dopri5"), v_, number("start"), {0, 1}, tolerance);
    EXPECT_LT(distance(adaptively(v_, number("start"), {0, 1}, tolerance), exact), 20 * tolerance);
    EXPECT_GE(steps.size(), before);
    before = steps.size();
    EXPECT_NEAR(steps.back().step.end(), 1, 1e-12);
    for (std::size_t i = 1; i < steps.size(); ++i)
      EXPECT_DOUBLE_EQ(steps[i].step.time, steps[i - 1].step.end());
  }
  EXPECT_GT(before, 5u);
}

TEST(AdaptiveSteps, AStiffFlowIsRefusedInOneClearLine) {
  const VelocityField stiff = [](const at::Tensor& x, double) { return x * -1e6; };
  EXPECT_THAT(error_of([&] {
                adaptive_steps(runge_kutta("dopri5"), stiff, at::ones({1, 2}, at::kDouble), {0, 1}, 1e-6);
              }),
              AllOf(HasSubstr("stiff"), HasSubstr("1000 steps"), HasSubstr("--flow-tolerance"),
                    HasSubstr("--flow-solver rk4")));
}

TEST(AdaptiveSteps, AVelocityThatIsNotFiniteIsAnError) {
  const VelocityField broken = [](const at::Tensor& x, double) { return x * NAN; };
  EXPECT_THAT(error_of([&] {
                adaptive_steps(runge_kutta("dopri5"), broken, at::ones({1}), {0, 1}, 1e-3);
              }),
              HasSubstr("not finite"));
}

// The first try is all of the way, and leaves the floats; a shorter one does not.
TEST(AdaptiveSteps, ATryThatLeavesTheNumbersIsMadeShorter) {
  const VelocityField steep = [](const at::Tensor& x, double) { return -at::sinh(x); };
  const at::Tensor x = at::full({1}, 30.0, at::kDouble);
  // tanh(x(t) / 2) = tanh(x(0) / 2) exp(-t)
  const double exact = 2 * std::atanh(std::tanh(15.0) * std::exp(-1.0));
  EXPECT_NEAR(adaptively(steep, x, {0, 1}, 1e-8).item<double>(), exact, 1e-5);
}

TEST(AdaptiveSteps, OneAtRestIsAStep) {
  const VelocityField rest = [](const at::Tensor& x, double) { return at::zeros_like(x); };
  EXPECT_EQ(adaptive_steps(runge_kutta("dopri5"), rest, at::ones({3}), {0, 1}, 1e-3).size(), 1u);
}

TEST(OdeSolvers, AnUnknownOneIsAUsageErrorThatSuggests) {
  EXPECT_THAT(error_of<UsageError>([] { runge_kutta("rk5"); }),
              AllOf(HasSubstr("'rk4'?"), HasSubstr("euler, midpoint, rk4, dopri5")));
  EXPECT_THROW(adaptive_steps(runge_kutta("rk4"), {}, {}, {}, 1), std::logic_error);
}

}  // namespace
}  // namespace torsor
