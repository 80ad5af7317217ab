#include "transport/exact_transport.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "planted_points.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::normal_points;
using testing::squared_costs;

// The least mean cost over all permutations.
double by_brute_force(const at::Tensor& costs) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(costs.size(0)));
  std::iota(order.begin(), order.end(), 0);
  const auto c = costs.accessor<double, 2>();
  double best = std::numeric_limits<double>::infinity();
  do {
    double sum = 0;
    for (std::size_t i = 0; i < order.size(); ++i) sum += c[static_cast<std::int64_t>(i)][order[i]];
    best = std::min(best, sum / static_cast<double>(order.size()));
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

// What makes a result a proof: the plan has the masses, the duals respect the costs, and both cost the same.
void expect_certified(const ExactTransport& found, const at::Tensor& costs, std::vector<double> a,
                      std::vector<double> b) {
  const std::int64_t n = costs.size(0), m = costs.size(1);
  const double size = std::max(costs.abs().max().item<double>(), 1e-300);
  a.resize(static_cast<std::size_t>(n), a.empty() ? 1.0 : 0.0);
  b.resize(static_cast<std::size_t>(m), b.empty() ? 1.0 : 0.0);
  const at::Tensor mass_a = at::tensor(a, at::kDouble) / std::accumulate(a.begin(), a.end(), 0.0),
                   mass_b = at::tensor(b, at::kDouble) / std::accumulate(b.begin(), b.end(), 0.0);
  at::Tensor plan = at::zeros({n, m}, at::kDouble);
  for (const PlanEntry& entry : found.plan) plan[entry.from][entry.to] += entry.mass;
  EXPECT_LE(std::ssize(found.plan), n + m - 1);
  EXPECT_LT((plan.sum(1) - mass_a).abs().max().item<double>(), 1e-12);
  EXPECT_LT((plan.sum(0) - mass_b).abs().max().item<double>(), 1e-12);
  EXPECT_GE(plan.min().item<double>(), 0);
  const at::Tensor left = costs - found.dual_from.unsqueeze(1) - found.dual_to.unsqueeze(0);
  EXPECT_GE(left.min().item<double>(), -1e-12 * size);
  const double dual = ((found.dual_from * mass_a).sum() + (found.dual_to * mass_b).sum()).item<double>();
  EXPECT_NEAR(found.cost, (plan * costs).sum().item<double>(), 1e-12 * size);
  EXPECT_NEAR(found.cost - dual, found.bound, 1e-11 * size);
}

TEST(ExactTransport, EqualsBruteForce) {
  Rng rng(1);
  for (std::int64_t n = 1; n <= 8; ++n)
    for (const double size : {1e-32, 1.0, 1e32}) {
      const at::Tensor costs = squared_costs(normal_points(n, 3, 0, rng), normal_points(n, 3, 1, rng)) * size;
      const double best = by_brute_force(costs);
      const Assignment found = exact_assignment(costs);
      EXPECT_NEAR(found.cost, best, 1e-12 * best) << n << " " << size;
      EXPECT_LE(found.bound, 1e-12 * best);
      std::vector<std::int64_t> sorted = found.to;
      std::sort(sorted.begin(), sorted.end());
      for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
    }
}

// Whole numbers of one scale cannot tell 1 from 2 beside 1e32: the second round must.
TEST(ExactTransport, FindsTheBestOfSmallCostsBesideHugeOnes) {
  Rng rng(2);
  for (int trial = 0; trial < 20; ++trial) {
    at::Tensor costs = at::empty({7, 7}, at::kDouble);
    for (std::int64_t i = 0; i < 49; ++i)
      costs.data_ptr<double>()[i] = rng.coin(0.4) ? 1e32 * (1 + rng.uniform()) : 1 + rng.uniform();
    const double best = by_brute_force(costs);
    const Assignment found = exact_assignment(costs);
    EXPECT_NEAR(found.cost, best, 1e-9 * best);
    EXPECT_LE(found.bound, 1e-9 * best);
  }
}

TEST(ExactTransport, IsCertifiedForUnequalNumbersAndMasses) {
  Rng rng(3);
  for (const auto& [n, m] : {std::pair{1, 1}, std::pair{1, 5}, std::pair{6, 1}, std::pair{7, 12},
                             std::pair{30, 20}, std::pair{25, 25}}) {
    const at::Tensor costs = squared_costs(normal_points(n, 2, 0, rng), normal_points(m, 2, 1, rng));
    std::vector<double> a, b;
    for (int i = 0; i < n; ++i) a.push_back(i % 3 == 2 ? 0 : 0.1 + rng.uniform());
    for (int j = 0; j < m; ++j) b.push_back(j % 4 == 3 ? 0 : 10 * (0.1 + rng.uniform()));
    for (const double size : {1.0, 1e32}) {
      expect_certified(exact_transport(costs * size), costs * size, {}, {});
      expect_certified(exact_transport(costs * size, a, b), costs * size, a, b);
      EXPECT_LE(exact_transport(costs * size, a, b).bound, 1e-12 * size);
    }
  }
}

TEST(ExactTransport, CostsNothingBetweenEqualPoints) {
  Rng rng(4);
  const at::Tensor points = normal_points(9, 4, 0, rng), costs = squared_costs(points, points.flip(0));
  const Assignment found = exact_assignment(costs);
  EXPECT_EQ(found.cost, 0);
  EXPECT_EQ(found.bound, 0);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(found.to[i], static_cast<std::int64_t>(8 - i));
  EXPECT_EQ(exact_assignment(at::zeros({5, 5}, at::kDouble)).cost, 0);
  EXPECT_EQ(exact_assignment(at::full({1, 1}, 3.5, at::kDouble)).cost, 3.5);
}

TEST(ExactTransport, TakesNegativeCostsAndAShiftOfThem) {
  Rng rng(5);
  const at::Tensor costs = squared_costs(normal_points(6, 2, 0, rng), normal_points(6, 2, 1, rng)) - 3;
  EXPECT_NEAR(exact_assignment(costs).cost, by_brute_force(costs), 1e-12);
  EXPECT_NEAR(exact_assignment(costs + 1000).cost, exact_assignment(costs).cost + 1000, 1e-9);
}

// Points that are doubled are as one point of twice the mass.
TEST(ExactTransport, DoesNotMindPointsThatAreSplit) {
  Rng rng(6);
  const at::Tensor x = normal_points(8, 3, 0, rng), y = normal_points(5, 3, 1, rng);
  const double once = exact_transport(squared_costs(x, y)).cost;
  EXPECT_NEAR(exact_transport(squared_costs(at::cat({x, x}), y)).cost, once, 1e-12);
  EXPECT_NEAR(exact_transport(squared_costs(y, x)).cost, once, 1e-12);
}

TEST(ExactTransport, RefusesWhatIsNoProblem) {
  const at::Tensor costs = at::ones({2, 3}, at::kDouble);
  EXPECT_THAT(error_of([&] { exact_assignment(costs); }),
              HasSubstr("as many points on both sides, got 2 and 3"));
  EXPECT_THAT(error_of([&] {
                exact_transport(at::empty({0, 3}, at::kDouble));
              }),
              HasSubstr("at least one point"));
  EXPECT_THAT(error_of([&] { exact_transport(costs / 0); }), HasSubstr("must be finite"));
  EXPECT_THAT(error_of([&] { exact_transport(costs, {1, -1}); }), HasSubstr("not negative, one is -1"));
  EXPECT_THAT(error_of([&] { exact_transport(costs, {1, 1, 1}); }), HasSubstr("3 masses for 2 rows"));
  EXPECT_THAT(error_of([&] {
                exact_transport(costs, {}, {0, 0, 0});
              }),
              HasSubstr("all masses of the columns are 0"));
}

TEST(ExactTransport, RefusesWhatDoesNotFitWithTheNumber) {
  EXPECT_NO_THROW(require_transport_room({2000, 2000}, "it", "take fewer"));
  EXPECT_LT(exact_transport_bytes(2000, 2000), 400e6);
  const std::string told = error_of([] {
    require_transport_room({1000000, 1000000}, "the assignment", "give --max-images");
  });
  EXPECT_THAT(told, HasSubstr("the assignment: 1000000 x 1000000 points need 568"));
  EXPECT_THAT(told, HasSubstr("GiB; give --max-images"));
  EXPECT_THAT(error_of([] {
                require_transport_room({2, 2, 1e18}, "it", "take fewer");
              }),
              HasSubstr("need 931322574.6"));
}

}  // namespace
}  // namespace torsor
