#include "transport/closed_forms.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

#include "planted_points.h"
#include "test_support.h"
#include "transport/entropic_transport.h"
#include "transport/exact_transport.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::normal_points;
using testing::squared_costs;

std::vector<double> numbers_of(const at::Tensor& points) {
  const at::Tensor flat = points.contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

TEST(LineTransport, EqualsTheExactSolverForConvexCosts) {
  Rng rng(1);
  for (const auto& [n, m] : {std::pair{1, 1}, std::pair{1, 6}, std::pair{9, 9}, std::pair{12, 7}})
    for (const double power : {1.0, 1.5, 2.0, 4.0}) {
      const at::Tensor x = normal_points(n, 1, 0, rng), y = normal_points(m, 1, 2, rng);
      std::vector<double> a, b;
      for (int i = 0; i < n; ++i) a.push_back(0.1 + rng.uniform());
      for (int j = 0; j < m; ++j) b.push_back(0.1 + rng.uniform());
      const at::Tensor costs = (x - y.t()).abs().pow(power);
      const auto h = [power = power](double z) { return std::pow(std::abs(z), power); };
      EXPECT_NEAR(line_transport(numbers_of(x), numbers_of(y), h), exact_transport(costs).cost, 1e-12);
      EXPECT_NEAR(line_transport(numbers_of(x), numbers_of(y), h, a, b), exact_transport(costs, a, b).cost,
                  1e-12);
    }
}

TEST(LineTransport, KnowsSignsAndRefusesNothing) {
  const auto steep = [](double z) { return z > 0 ? 3 * z : -z; };  // going down costs three times as much
  EXPECT_DOUBLE_EQ(line_transport({1, 2}, {0, 1}, steep), 3);
  EXPECT_DOUBLE_EQ(line_transport({0, 1}, {2, 1}, steep), 1);
  EXPECT_THAT(error_of([&] { line_transport({}, {1}, steep); }), HasSubstr("there are no points x"));
  EXPECT_THAT(error_of([&] { line_transport({1}, {NAN}, steep); }), HasSubstr("one of the points y is nan"));
}

Gaussian random_gaussian(std::int64_t d, Rng& rng) {
  const at::Tensor root = normal_points(d, d, 0, rng);
  return {normal_points(d, 1, 0, rng).flatten(), at::matmul(root, root.t()) + 0.1 * at::eye(d, at::kDouble)};
}

TEST(Gaussians, TheMapCarriesOneToTheOtherAtTheLeastCost) {
  Rng rng(2);
  for (const std::int64_t d : {1, 2, 5}) {
    const Gaussian from = random_gaussian(d, rng), to = random_gaussian(d, rng);
    const GaussianMap map = gaussian_map(from, to);
    EXPECT_TRUE(at::allclose(at::matmul(at::matmul(map.matrix, from.covariance), map.matrix.t()),
                             to.covariance, 1e-8, 1e-9));
    EXPECT_TRUE(at::allclose(map.matrix, map.matrix.t(), 1e-8, 1e-10)) << "a gradient of a convex function";
    EXPECT_TRUE(at::allclose(map(from.mean.unsqueeze(0)).squeeze(0), to.mean));
    // E|x - T(x)|^2 in closed form.
    const at::Tensor moved = map.matrix - at::eye(d, at::kDouble);
    const double cost = (at::matmul(at::matmul(moved, from.covariance), moved.t()).trace() +
                         (from.mean - to.mean).square().sum())
                            .item<double>();
    EXPECT_NEAR(bures_wasserstein(from, to), cost, 1e-8 * cost);
    EXPECT_NEAR(bures_wasserstein(from, from), 0, 1e-12);
  }
}

// A sample of one Gaussian and its image under the map: the assignment is the map itself.
TEST(Gaussians, TheExactSolverFindsTheMapAgain) {
  Rng rng(3);
  const Gaussian from = random_gaussian(2, rng), to = random_gaussian(2, rng);
  const at::Tensor root = at::linalg_cholesky(from.covariance);
  const at::Tensor x = at::matmul(normal_points(60, 2, 0, rng), root.t()) + from.mean;
  const Assignment found = exact_assignment(squared_costs(x, gaussian_map(from, to)(x)));
  for (std::int64_t i = 0; i < 60; ++i) EXPECT_EQ(found.to[static_cast<std::size_t>(i)], i);
}

TEST(Gaussians, DegenerateOnesHaveADistanceButNoMap) {
  const at::Tensor zero = at::zeros({2}, at::kDouble), flat = at::diag(at::tensor({1.0, 0.0}, at::kDouble));
  const Gaussian line{zero, flat}, round{zero, at::eye(2, at::kDouble)};
  EXPECT_NEAR(bures_wasserstein(line, round), 1, 1e-12);
  EXPECT_THAT(error_of([&] { gaussian_map(line, round); }), HasSubstr("singular"));
  EXPECT_THAT(error_of([&] { bures_wasserstein({zero, -flat}, round); }), HasSubstr("negative eigenvalue"));
  EXPECT_THAT(error_of([&] {
                bures_wasserstein({at::zeros({3}, at::kDouble), flat}, round);
              }),
              HasSubstr("mean [d] and a covariance [d,d]"));
}

TEST(Entropic, ApproachesTheExactCostAndIsCertified) {
  Rng rng(4);
  const at::Tensor costs = squared_costs(normal_points(12, 2, 0, rng), normal_points(9, 2, 1, rng));
  const double exact = exact_transport(costs).cost;
  double before = std::numeric_limits<double>::infinity();
  for (const double epsilon : {1.0, 0.1, 0.01}) {
    const EntropicTransport found = entropic_transport(costs, {epsilon});
    EXPECT_GE(found.cost, exact - 1e-9);
    EXPECT_LT(found.cost, before);
    EXPECT_LE(found.cost - exact, epsilon * std::log(12 * 9));
    EXPECT_LE(found.error, 1e-10);
    const at::Tensor apart = at::xlogy(found.plan, found.plan * 12 * 9);
    EXPECT_NEAR(found.value, found.cost + epsilon * apart.sum().item<double>(), 1e-8);
    before = found.cost;
  }
}

// A set against itself at a small epsilon: a plan close to the identity, on which Sinkhorn's steps stand
// still.
TEST(Entropic, ConvergesWherePlansAreNearlyPermutations) {
  Rng rng(8);
  const at::Tensor x = normal_points(15, 2, 0, rng);
  for (const double epsilon : {0.1, 0.02, 0.005}) {
    const EntropicTransport found = entropic_transport(squared_costs(x, x), {epsilon});
    EXPECT_LE(found.error, 1e-10);
    EXPECT_LT(found.steps, 2000);
    EXPECT_TRUE(at::allclose(found.plan, found.plan.t(), 1e-6, 1e-9)) << "as the problem is";
  }
}

// A point without mass changes nothing.
TEST(Entropic, LeavesOutPointsWithoutMass) {
  Rng rng(9);
  const at::Tensor costs = squared_costs(normal_points(6, 2, 0, rng), normal_points(5, 2, 1, rng));
  const EntropicTransport all = entropic_transport(costs, {0.1}, {1, 1, 1, 1, 1, 0}, {1, 2, 3, 4, 0});
  const EntropicTransport some =
      entropic_transport(costs.narrow(0, 0, 5).narrow(1, 0, 4), {0.1}, {}, {1, 2, 3, 4});
  EXPECT_NEAR(all.cost, some.cost, 1e-9);
  EXPECT_NEAR(all.value, some.value, 1e-9);
}

TEST(Entropic, ScalesWithCostsOfAnySize) {
  Rng rng(5);
  const at::Tensor costs = squared_costs(normal_points(8, 2, 0, rng), normal_points(8, 2, 1, rng));
  const double plain = entropic_transport(costs, {0.1}).cost;
  EXPECT_NEAR(entropic_transport(costs * 1e32, {1e31}).cost, plain * 1e32, 1e-8 * plain * 1e32);
  EXPECT_NEAR(entropic_transport(costs + 1e6, {0.1}).cost, plain + 1e6, 1e-6);
  EXPECT_THAT(error_of([&] { entropic_transport(costs * 1e32, {0.1}); }), HasSubstr("lost in the rounding"));
}

TEST(Entropic, TheDivergenceIsZeroForEqualSetsAndPositiveForOthers) {
  Rng rng(6);
  const at::Tensor x = normal_points(10, 2, 0, rng), y = normal_points(7, 2, 0.5, rng);
  const at::Tensor xx = squared_costs(x, x), yy = squared_costs(y, y);
  EXPECT_NEAR(sinkhorn_divergence({xx, xx, xx}, {0.3}), 0, 1e-12);
  EXPECT_GT(sinkhorn_divergence({squared_costs(x, y), xx, yy}, {0.3}), 0.01);
  EXPECT_NEAR(sinkhorn_divergence({at::full({1, 1}, 4.0, at::kDouble), at::zeros({1, 1}, at::kDouble),
                                   at::zeros({1, 1}, at::kDouble)},
                                  {0.3}),
              4, 1e-12);
}

TEST(Entropic, RefusesWhatItCannotReach) {
  Rng rng(7);
  const at::Tensor costs = squared_costs(normal_points(8, 2, 0, rng), normal_points(8, 2, 1, rng));
  EXPECT_THAT(error_of([&] { entropic_transport(costs, {0}); }), HasSubstr("epsilon is 0"));
  EXPECT_THAT(error_of([&] {
                entropic_transport(costs, {1e-3, 1e-300, 10});
              }),
              HasSubstr("after 10 steps the marginals are off by"));
  EXPECT_THAT(error_of([&] { entropic_transport(costs / 0, {1}); }), HasSubstr("must be finite"));
}

}  // namespace
}  // namespace torsor
