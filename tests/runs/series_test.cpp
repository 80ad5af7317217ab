// Moving averages, and what of a long series a plot needs.
#include "runs/series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace torsor {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsNan;
using ::testing::Pointwise;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(MovingAverage, IsTheMeanOfTheFiniteValuesAround) {
  const ScalarSeries s{"x", {10, 20, 30, 40, 50}, {1, 2, kNone, 8, 5}};
  EXPECT_THAT(moving_average(s, 20).values, ElementsAre(1.5, 1.5, 5, 6.5, 6.5));
  EXPECT_THAT(moving_average(s, 19).values, ElementsAre(1, 2, IsNan(), 8, 5));
  EXPECT_THAT(moving_average(s, 1000).values, ElementsAre(4, 4, 4, 4, 4));
  EXPECT_EQ(moving_average(s, 20).steps, s.steps);
  EXPECT_THAT(moving_average(s, 0).values, ElementsAre(1, 2, IsNan(), 8, 5));
  EXPECT_THAT(moving_average({"x", {}, {}}, 20).values, ElementsAre());
}

// Metrics come at other steps than losses do.
TEST(MovingAverage, SpansStepsAndNotLines) {
  const ScalarSeries s{"x", {1, 2, 3, 100}, {3, 6, 9, 40}};
  EXPECT_THAT(moving_average(s, 4).values, ElementsAre(6, 6, 6, 40));
}

TEST(MovingAverage, ForgetsASpikeThatIsBehind) {
  ScalarSeries s{"x", {}, {}};
  for (int i = 0; i < 1000; ++i) {
    s.steps.push_back(i);
    s.values.push_back(i == 10 ? 1e12 : 0.25);
  }
  EXPECT_NEAR(moving_average(s, 10).values[500], 0.25, 1e-6);
}

TEST(DefaultSpan, IsATwentiethOfALongRunAndNoneOfAShortOne) {
  ScalarSeries s{"x", {}, {}};
  for (int i = 0; i < 59; ++i) s.steps.push_back(20 * i);
  EXPECT_EQ(default_span(s), 0);
  for (int i = 59; i <= 100; ++i) s.steps.push_back(20 * i);
  EXPECT_EQ(default_span(s), 100);
}

TEST(Thinned, KeepsEverySpikeOrEveryKthValue) {
  ScalarSeries s{"x", {}, {}};
  for (int i = 0; i < 1001; ++i) {
    s.steps.push_back(i);
    s.values.push_back(i == 333 ? 7 : i == 334 ? -7 : i == 900 ? kNone : std::sin(i));
  }
  const ScalarSeries raw = thinned_to_extremes(s, 20);
  EXPECT_LE(raw.size(), 40u);
  EXPECT_TRUE(std::is_sorted(raw.steps.begin(), raw.steps.end()));
  EXPECT_THAT(raw.values, ::testing::AllOf(::testing::Contains(7), ::testing::Contains(-7)));
  EXPECT_THAT(raw.values, ::testing::Each(::testing::Not(IsNan())));
  const ScalarSeries few = thinned(s, 50);
  EXPECT_LE(few.size(), 50u);
  EXPECT_GT(few.size(), 40u);
  EXPECT_EQ(few.steps.front(), 0);
  EXPECT_EQ(few.steps.back(), 1000);
  EXPECT_EQ(thinned(s, 2000).size(), 1001u);
}

}  // namespace
}  // namespace torsor
