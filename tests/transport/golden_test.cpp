// What SciPy and POT found (make_golden.py), found again.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/json.h"
#include "transport/closed_forms.h"
#include "transport/entropic_transport.h"
#include "transport/exact_transport.h"

namespace torsor {
namespace {

class TransportGolden : public ::testing::Test {
 protected:
  const Json golden_ =
      read_json(std::filesystem::path(TORSOR_TEST_DATA).parent_path() / "transport" / "golden.json");
};

using Numbers = std::vector<double>;

at::Tensor matrix_of(const Json& rows) {
  Numbers flat;
  for (const Json& row : rows)
    for (const Json& value : row) flat.push_back(value.get<double>());
  return at::tensor(flat, at::kDouble).reshape({static_cast<std::int64_t>(rows.size()), -1});
}

void expect_close(double found, double golden, double tolerance) {
  EXPECT_NEAR(found, golden, tolerance * std::abs(golden));
}

TEST_F(TransportGolden, AssignmentsAreSciPys) {
  for (const Json& c : golden_.at("assignments")) {
    const Assignment found = exact_assignment(matrix_of(c.at("costs")) * c.at("scale").get<double>());
    expect_close(found.cost, c.at("cost"), 1e-9);
    EXPECT_EQ(found.to, c.at("to").get<std::vector<std::int64_t>>());
  }
}

TEST_F(TransportGolden, PlansCostWhatPotsDo) {
  for (const Json& c : golden_.at("plans"))
    expect_close(exact_transport(matrix_of(c.at("costs")) * c.at("scale").get<double>(),
                                 c.at("a").get<Numbers>(), c.at("b").get<Numbers>())
                     .cost,
                 c.at("cost"), 1e-9);
}

TEST_F(TransportGolden, EntropicOnesAreSinkhornsOfPot) {
  for (const Json& c : golden_.at("entropic")) {
    const EntropicOptions options{c.at("epsilon").get<double>()};
    const auto a = c.at("a").get<Numbers>(), b = c.at("b").get<Numbers>();
    const SelfCosts costs{matrix_of(c.at("costs")), matrix_of(c.at("costs_from")),
                          matrix_of(c.at("costs_to"))};
    const EntropicTransport found = entropic_transport(costs.across, options, a, b);
    expect_close(found.cost, c.at("cost"), 1e-6);
    expect_close(found.value, c.at("value"), 1e-6);
    expect_close(sinkhorn_divergence(costs, options, a, b), c.at("divergence"), 1e-6);
  }
}

TEST_F(TransportGolden, TheLineIsPots) {
  for (const Json& c : golden_.at("on_the_line")) {
    const double power = c.at("power");
    const auto h = [power](double z) { return std::pow(std::abs(z), power); };
    expect_close(line_transport(c.at("x").get<Numbers>(), c.at("y").get<Numbers>(), h,
                                c.at("a").get<Numbers>(), c.at("b").get<Numbers>()),
                 c.at("cost"), 1e-9);
  }
}

TEST_F(TransportGolden, GaussiansArePots) {
  for (const Json& c : golden_.at("gaussians")) {
    const at::Tensor means = matrix_of(c.at("means"));
    const Gaussian from{means[0], matrix_of(c.at("s"))}, to{means[1], matrix_of(c.at("t"))};
    expect_close(bures_wasserstein(from, to), c.at("squared_distance"), 1e-8);
    EXPECT_TRUE(at::allclose(gaussian_map(from, to).matrix, matrix_of(c.at("matrix")), 1e-7, 1e-9));
  }
}

}  // namespace
}  // namespace torsor
