// Translators of points: what is trained, and what is said of it.
#include "experiment/point_game.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "experiment/point_measures.h"

namespace torsor {
namespace {

PointScale short_scale(std::int64_t steps) { return {2, steps, 64}; }

TEST(PointGame, ATransportMeetsTheTargetAndOtherMapsMissIt) {
  const PointProblem& problem = point_problem("Gaussians of 2");
  const PointTest test = draw_point_test(problem, 300, 5);
  const at::Tensor widths = at::tensor({1.5F, 0.5F});
  EXPECT_LT(missed_share(test, test.many_x * widths), kMostMissed);
  EXPECT_LT(missed_share(test, test.many_x.flip({0}) * -widths), kMostMissed) << "another transport";
  EXPECT_GT(missed_share(test, test.many_x * widths + 0.5), 0.1);
  EXPECT_GT(missed_share(test, test.many_x), 0.1) << "a copy";
  EXPECT_NEAR(missed_share(test, test.many_x * widths / 2), 1, 0.25) << "what 1 stands for";
  EXPECT_TRUE(std::isinf(missed_share(test, test.many_x / 0.0)));
}

TEST(PointGame, TrainingBringsAShiftNearer) {
  StopFlag stop;
  PointProblem problem = point_problem("Gaussians of 2");
  const PointProblem::Draw drawn = problem.a;
  problem.b = [drawn](std::int64_t count, Rng& rng) { return drawn(count, rng) + 1.5; };
  const PointTest test = draw_point_test(problem, 200, 1);
  PointArm arm{"short", "a short training"};
  const auto miss_after = [&](std::int64_t steps) {
    const PointTranslators after = train_points(problem, arm, short_scale(steps), 0, stop);
    const at::NoGradGuard no_grad;
    return missed_share(test, after.there(test.many_x.unsqueeze(0)).out[0]);
  };
  const double before = miss_after(1), later = miss_after(250);
  EXPECT_LT(later, before / 3);
  EXPECT_EQ(miss_after(250), later) << "the same seed gives the same bits";
}

TEST(PointGame, AHeavyCostKeepsPointsWhereTheyAre) {
  StopFlag stop;
  const PointProblem& problem = point_problem("moons to ring");
  const PointTest test = draw_point_test(problem, 60, 1);
  PointArm free{"free", "", {}, 0.1, 0}, dear = free;
  free.way_back = dear.way_back = WayBack::none;
  dear.lambda_transport = 100;
  const auto cost_of = [&](const PointArm& arm) {
    const Json row =
        measure_points(problem, arm, train_points(problem, arm, short_scale(150), 0, stop), test);
    EXPECT_TRUE(row.at("runs")[0].at("cycle").is_null()) << "there is no way back";
    return row.at("runs")[0].at("cost").get<double>();
  };
  EXPECT_LT(cost_of(dear), 0.3 * cost_of(free));
}

}  // namespace
}  // namespace torsor
