#include "transport/plane_map.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planted_points.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::normal_points;

TEST(PlaneMap, OfPointsOfThePlaneIsThePointsThemselves) {
  const at::Tensor x = at::tensor({0.0, 1.0, 2.0, 3.0}, at::kDouble).view({2, 2});
  const PlaneMap map = plane_map(x, x + 1, x - 1);
  EXPECT_EQ(map.inputs, (std::vector<std::vector<double>>{{0, 1}, {2, 3}}));
  EXPECT_EQ(map.outputs[0], (std::vector<double>{1, 2}));
  EXPECT_EQ(map.targets[1], (std::vector<double>{1, 2}));
  EXPECT_EQ(map.share, 1);
  const at::Tensor line = at::tensor({0.0, 1.0, 2.0}, at::kDouble).view({3, 1});
  EXPECT_EQ(plane_map(line, line, line).inputs[2], (std::vector<double>{2, 0}));
}

// Two wide directions among many narrow ones are found, and distances in them kept.
TEST(PlaneMap, IsThatOfTheWidestDirections) {
  Rng rng(4);
  at::Tensor wide = at::zeros({2, 50}, at::kDouble);
  wide[0].narrow(0, 0, 25).fill_(0.2);
  wide[1].narrow(0, 25, 25).fill_(0.2);  // both of length 1
  const auto images = [&](double scale) {
    return at::matmul(normal_points(20, 2, 0, rng) * at::tensor({5.0, 2.0}, at::kDouble), wide) +
           scale * normal_points(20, 50, 0, rng);
  };
  const at::Tensor x = images(0.001), y = images(0.001);
  const PlaneMap map =
      plane_map(x.view({20, 2, 5, 5}), (x + 3 * wide[0]).view({20, 2, 5, 5}), y.view({20, 2, 5, 5}));
  EXPECT_GT(map.share, 0.999);
  for (std::size_t i = 0; i < 20; ++i) {
    const double dx = map.outputs[i][0] - map.inputs[i][0], dy = map.outputs[i][1] - map.inputs[i][1];
    EXPECT_NEAR(std::hypot(dx, dy), 3, 0.01);
    EXPECT_GT(dx, 2.5) << "mostly along the widest direction, whose sign is fixed";
  }
  EXPECT_THAT(plane_caption(map), HasSubstr("100 %"));
}

TEST(PlaneMap, OfEqualImagesIsAPoint) {
  const at::Tensor same = at::ones({3, 7}, at::kDouble);
  const PlaneMap map = plane_map(same, same, same);
  EXPECT_NEAR(map.outputs[2][0], 0, 1e-9);
  EXPECT_EQ(map.share, 1);
  EXPECT_GT(draw(plane_chart(map, "all at one place")).image.samples(), 0);
}

TEST(PlaneMap, ItsChartHasOneArrowForEachOfTheFirstInputs) {
  Rng rng(5);
  const at::Tensor x = normal_points(9, 2, 0, rng);
  const LineChart chart = plane_chart(plane_map(x, x + 1, x), "Where images go", 4);
  ASSERT_EQ(chart.series.size(), 3U);
  EXPECT_EQ(chart.series[0].x.size(), 9U);
  EXPECT_EQ(chart.series[2].mark, Mark::arrows);
  EXPECT_EQ(chart.series[2].to_x.size(), 4U);
}

TEST(PlaneMap, RefusesWhatDoesNotFit) {
  const at::Tensor x = at::zeros({4, 3});
  EXPECT_THAT(error_of([&] { plane_map(x, at::zeros({3, 3}), x); }), HasSubstr("expected equal ones"));
  EXPECT_THAT(error_of([&] { plane_map(x, x, at::zeros({4, 2})); }), HasSubstr("expected equal ones"));
}

}  // namespace
}  // namespace torsor
