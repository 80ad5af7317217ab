// Finite spaces, the line, the plane and flows, against answers known otherwise.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "test_support.h"
#include "theory/coupling_flow.h"
#include "theory/finite_space.h"
#include "theory/gaussian_plane.h"
#include "theory/line_bound.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

TEST(FiniteSpace, TheLossOfTheIdentityIsZeroAndOfOthersIsNot) {
  const FiniteSpace x{{1, 1, 2}};
  EXPECT_EQ(pure_loss(x, x, {0, 1, 2}, {0, 1, 2}), 0);
  EXPECT_EQ(pure_loss(x, x, {1, 0, 2}, {1, 0, 2}), 0) << "equal atoms exchanged, there and back";
  EXPECT_EQ(pure_loss(x, x, {1, 0, 2}, {0, 1, 2}), 4) << "cycle: |1-0| twice on X, twice on Y";
  EXPECT_EQ(pure_loss(x, x, {2, 1, 0}, {2, 1, 0}), 4) << "masses: 1 -> 2 and 2 -> 1, both ways";
  EXPECT_GT(pure_loss(x, x, {0, 0, 0}, {0, 0, 0}), 0) << "a constant translator";
}

TEST(FiniteSpace, ThereAreAsManyAutomorphismsAsEqualAtomsCanBeArranged) {
  EXPECT_EQ(automorphisms({{1, 1, 1, 1}}).size(), 24u);
  EXPECT_EQ(automorphisms({{1, 1, 2, 2}}).size(), 4u);
  EXPECT_EQ(automorphisms({{1, 2, 3}}).size(), 1u);
}

TEST(FiniteSpace, TryingAllPairsFindsExactlyTheIsomorphisms) {
  std::int64_t tried = 0;
  EXPECT_EQ(zero_loss_pairs({{1, 1, 2}}, {{2, 1, 1}}, tried).size(), 2u);
  EXPECT_EQ(tried, 27 * 27);
  EXPECT_TRUE(zero_loss_pairs({{1, 1, 2}}, {{1, 1, 3}}, tried).empty());
}

TEST(FiniteSpace, AutomorphismsActFromTheRight) {
  const FinitePair pair{{1, 2, 0}, {2, 0, 1}};
  const FinitePair other = moved(pair, {0, 2, 1});
  EXPECT_THAT(other.g, ElementsAre(1, 0, 2));
  EXPECT_THAT(composed(other.f, other.g), ElementsAre(0, 1, 2));
}

TEST(LineMap, IsExactAtItsKnotsAndInvertible) {
  const LineMap map({0, 1, 3}, {2, 0.1, -5});
  EXPECT_EQ(map(1), 0.1);
  EXPECT_DOUBLE_EQ(map(2), (0.1 - 5) / 2);
  EXPECT_DOUBLE_EQ(map(-1), 3.9) << "beyond the knots it goes on straight";
  EXPECT_EQ(map.inverse()(0.1), 1);
  EXPECT_NEAR(map.inverse()(map(0.3)), 0.3, 1e-15);
  EXPECT_DOUBLE_EQ(map.lipschitz(), 5.1 / 2);
  EXPECT_THROW(LineMap({0, 1}, {1, 1}), Error);
  EXPECT_THROW(LineMap({1, 0}, {1, 2}), Error);
  EXPECT_THROW(LineMap({0, 1, 2}, {0, 2, 1}), Error);
}

TEST(LineBound, TheCounterexampleExceedsThePrintedBoundByAlpha) {
  const LineProblem p = counterexample(100);
  EXPECT_NEAR(moved_loss(p).total() - line_bound(p).printed(), 10, 1e-9);
  EXPECT_NEAR(moved_loss(p).total(), line_bound(p).corrected(), 1e-9);
  EXPECT_NEAR(extended_loss(p).total(), 2 * std::log(2.0), 1e-12) << "disjoint supports: log 2 each way";
}

TEST(LineBound, AnAutomorphismLeavesTheDivergencesAlone) {
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const LineProblem p = random_problem(rng);
    EXPECT_NEAR(moved_loss(p).gan, extended_loss(p).gan, 1e-12);
    EXPECT_NEAR(moved_loss(p).cycle_y, extended_loss(p).cycle_y, 1e-12);
  }
}

TEST(LineBound, RefusesAMapThatDoesNotPermuteX) {
  LineProblem p = counterexample(3);
  p.phi = LineMap({0, 1}, {0.5, 1.5});
  EXPECT_THAT(error_of([&] { moved_loss(p); }), HasSubstr("does not map X to itself"));
}

TEST(GaussianPlane, NormsAgreeWithTheirClosedForms) {
  const PlaneGaussian unit = plane_gaussian();
  const AffineMaps identity = linear_maps(at::eye(2, at::kDouble).unsqueeze(0));
  const double mean = std::sqrt(std::numbers::pi / 2);
  EXPECT_NEAR(expected_norm(identity, unit, circle_quadrature(64)).item<double>(), mean, 1e-12);
  EXPECT_NEAR(expected_norm(identity, unit, plane_quadrature(64, 64)).item<double>(), mean, 1e-4);
  EXPECT_NEAR(expected_norm(identity, unit, circle_quadrature(256), "l1").item<double>(),
              2 * std::sqrt(2 / std::numbers::pi), 1e-3);
  const AffineMaps far{identity.matrix * 1e-9, at::tensor({3.0, 4.0}, at::kDouble).unsqueeze(0)};
  EXPECT_NEAR(expected_norm(far, unit, plane_quadrature(64, 64)).item<double>(), 5, 1e-6);
}

TEST(GaussianPlane, TheDivergenceIsThatOfTheTextbook) {
  // N((1, 0), diag(4, 1)) against N(0, I): (4 + 1 - 2 - log 4 + 1) / 2.
  const PlaneGaussian from = plane_gaussian(1, 0, 2, 1), unit = plane_gaussian();
  const AffineMaps identity = linear_maps(at::eye(2, at::kDouble).unsqueeze(0));
  EXPECT_NEAR(kl_push_forward(identity, from, unit).item<double>(), (4 - std::log(4.0)) / 2, 1e-12);
  EXPECT_NEAR(kl_push_forward(identity, from, from).item<double>(), 0, 1e-12);
}

TEST(GaussianPlane, AutomorphismsKeepTheirGaussian) {
  const PlaneGaussian x = plane_gaussian(1, -2, 2, 0.5, 0.7);
  const at::Tensor angles = at::linspace(-3, 3, 7, at::kDouble);
  for (const at::Tensor& group : {rotations(angles), reflections(angles)}) {
    const AffineMaps phi = gaussian_automorphism(x, group);
    EXPECT_LT(kl_push_forward(phi, x, x).abs().max().item<double>(), 1e-12);
    const AffineMaps back = displacement(composed(inverse(phi), phi));
    EXPECT_LT(expected_norm(back, x, circle_quadrature(8)).max().item<double>(), 1e-9);
  }
}

TEST(GaussianPlane, PartsAddUpAndTellRotationsFromReflections) {
  const at::Tensor angles = at::tensor({0.3, 2.0}, at::kDouble);
  const PlaneParts turned = plane_parts(rotations(angles)), mirrored = plane_parts(reflections(angles));
  EXPECT_NEAR(std::atan2(turned.rotation[0][1].item<double>(), turned.rotation[0][0].item<double>()), 0.3,
              1e-12);
  EXPECT_LT(turned.reflection.abs().max().item<double>(), 1e-15);
  EXPECT_NEAR(std::atan2(mirrored.reflection[1][1].item<double>(), mirrored.reflection[1][0].item<double>()),
              2.0, 1e-12);
  EXPECT_LT(mirrored.rotation.abs().max().item<double>(), 1e-15);
}

TEST(CouplingFlow, IsInvertedAndKnowsItsDeterminant) {
  Rng rng(1);
  const CouplingFlow flow(4, rng);
  const at::Tensor z = random_normal(5, 4, rng), x = flow.forward(z);
  EXPECT_LT((flow.inverse(x) - z).abs().max().item<double>(), 1e-12);
  EXPECT_GT((x - z).abs().mean().item<double>(), 0.1);
  const double step = 1e-6;
  const at::Tensor jacobian = (flow.forward(z[0] + step * at::eye(4, at::kDouble)) -
                               flow.forward(z[0] - step * at::eye(4, at::kDouble))) /
                              (2 * step);
  EXPECT_NEAR(std::log(std::abs(at::linalg_det(jacobian).item<double>())), flow.log_det(z)[0].item<double>(),
              1e-6);
  EXPECT_THROW(CouplingFlow(3, rng), Error);
}

TEST(RandomRotation, IsOneAndAveragesToNothing) {
  Rng rng(2);
  at::Tensor sum = at::zeros({3, 3}, at::kDouble);
  for (int i = 0; i < 2000; ++i) {
    const at::Tensor t = random_rotation(3, rng);
    EXPECT_LT((at::matmul(t, t.t()) - at::eye(3, at::kDouble)).abs().max().item<double>(), 1e-12);
    EXPECT_NEAR(at::linalg_det(t).item<double>(), 1, 1e-12);
    sum += t;
  }
  EXPECT_LT((sum / 2000).abs().max().item<double>(), 0.06) << "4.6 standard errors";
}

}  // namespace
}  // namespace torsor
