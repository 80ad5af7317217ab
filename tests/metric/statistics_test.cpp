#include "metric/statistics.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/rng.h"
#include "metric/two_sample.h"
#include "test_support.h"

namespace torsor {
namespace {

TEST(MeanInterval, UsesStudentsT) {
  // 1..5: mean 3, standard error sqrt(2.5 / 5), t of 4 degrees 2.7764.
  const MeanInterval five = mean_interval({1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(five.mean, 3);
  EXPECT_NEAR(five.interval.high, 3 + 2.7764 * std::sqrt(0.5), 1e-3);
  EXPECT_NEAR(five.interval.low, 3 - 2.7764 * std::sqrt(0.5), 1e-3);
  // Beyond the table: t of 15, 30 and 100 degrees is 2.1314, 2.0423 and 1.9840.
  for (const auto& [degrees, t] : {std::pair{15, 2.1314}, std::pair{30, 2.0423}, std::pair{100, 1.9840}}) {
    std::vector<double> values;
    for (int i = 0; i <= degrees; ++i) values.push_back(i % 2);
    const MeanInterval m = mean_interval(values);
    const double n = degrees + 1;
    double squares = 0;
    for (const double v : values) squares += (v - m.mean) * (v - m.mean);
    EXPECT_NEAR((m.interval.high - m.mean) / std::sqrt(squares / degrees / n), t, 1e-3) << degrees;
  }
  EXPECT_TRUE(std::isinf(mean_interval({7}).interval.high));
  EXPECT_THROW(mean_interval({}), Error);
}

TEST(ShareInterval, IsWilsons) {
  const Interval i = share_interval(15, 148);  // Newcombe (1998), table I: 0.0624 to 0.1605
  EXPECT_NEAR(i.low, 0.0624, 1e-4);
  EXPECT_NEAR(i.high, 0.1605, 1e-4);
  EXPECT_EQ(share_interval(0, 20).low, 0);
  EXPECT_NEAR(share_interval(0, 20).high, 0.1611, 1e-4);
  EXPECT_THROW(share_interval(0, 0), Error);
}

TEST(RayleighTest, TellsConcentratedAnglesFromUniformOnes) {
  std::vector<double> even, same;
  for (int i = 0; i < 20; ++i) {
    even.push_back(i * 2 * std::numbers::pi / 20);
    same.push_back(0.1 * (i % 3));
  }
  EXPECT_GT(rayleigh_p(even), 0.99);
  EXPECT_LT(rayleigh_p(same), 1e-6);
  Rng rng(4);
  int rejected = 0;
  for (int k = 0; k < 1000; ++k) {
    std::vector<double> angles;
    for (int i = 0; i < 30; ++i) angles.push_back(rng.uniform(0, 2 * std::numbers::pi));
    rejected += rayleigh_p(angles) < 0.05;
  }
  EXPECT_NEAR(rejected, 50, 25) << "the level is 5 %";
}

at::Tensor normal_sample(std::int64_t n, double mean, Rng& rng) {
  at::Tensor out = at::empty({n, 2}, at::kDouble);
  for (std::int64_t i = 0; i < 2 * n; ++i) out.data_ptr<double>()[i] = mean + rng.normal();
  return out;
}

TEST(EnergyTest, KeepsItsLevelAndNoticesAShift) {
  Rng rng(5);
  int level = 0, power = 0;
  constexpr int kTests = 200;
  for (int k = 0; k < kTests; ++k) {
    const at::Tensor x = normal_sample(40, 0, rng);
    level += energy_test(x, normal_sample(60, 0, rng), 99, rng).p <= 0.05;
    power += energy_test(x, normal_sample(60, 1, rng), 99, rng).p <= 0.05;
  }
  EXPECT_LE(level, 22) << "5 % of 200 is 10; 22 has a chance of 0.0003";
  EXPECT_GE(power, 190);
}

TEST(EnergyTest, TheStatisticIsTheEnergyDistance) {
  Rng rng(6);
  const at::Tensor x = at::tensor({0.0, 2.0}, at::kDouble).view({2, 1}),
                   y = at::tensor({5.0}, at::kDouble).view({1, 1});
  // 2 (5 + 3)/2 - (0 + 2 + 2 + 0)/4 - 0.
  EXPECT_NEAR(energy_test(x, y, 10, rng).statistic, 7, 1e-12);
  EXPECT_NEAR(energy_test(x, x, 10, rng).statistic, 0, 1e-12);
  EXPECT_EQ(energy_test(x, x, 10, rng).p, 1);
  EXPECT_THROW(energy_test(x, at::zeros({3, 2}), 10, rng), Error);
  EXPECT_THROW(energy_test(x, at::zeros({0, 1}), 10, rng), Error);
}

}  // namespace
}  // namespace torsor
