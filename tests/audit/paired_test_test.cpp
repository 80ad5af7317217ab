#include "audit/paired_test.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace torsor {
namespace {

std::vector<std::int64_t> each_its_own(std::int64_t count) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), std::int64_t{0});
  return out;
}

PairedTest tested(const std::vector<double>& run, const std::vector<double>& rival,
                  const std::vector<std::int64_t>& groups) {
  Rng rng(7);
  return paired_tests(at::tensor(run, at::kDouble), {at::tensor(rival, at::kDouble)}, groups, rng).of[0];
}

TEST(PairedTest, AllPairsInFavourGiveTwoToTheMinusPairs) {
  const PairedTest test = tested({1, 2, 3, 4, 5}, {2, 3, 4, 5, 7}, each_its_own(5));
  EXPECT_DOUBLE_EQ(test.run_better, 1.0 / 32);
  EXPECT_DOUBLE_EQ(test.rival_better, 1);
  EXPECT_DOUBLE_EQ(test.difference, 1.2);
}

TEST(PairedTest, CountsAssignmentsByHand) {
  // Sums of +-1 +-2 +-4: 7 5 3 1 -1 -3 -5 -7; the observed one is 3.
  const PairedTest test = tested({0, 0, 0}, {1, -2, 4}, each_its_own(3));
  EXPECT_DOUBLE_EQ(test.run_better, 3.0 / 8);
  EXPECT_DOUBLE_EQ(test.rival_better, 6.0 / 8);
}

TEST(PairedTest, EqualErrorsDecideNothing) {
  const PairedTest test = tested({1, 1, 1, 1}, {1, 1, 1, 1}, each_its_own(4));
  EXPECT_DOUBLE_EQ(test.run_better, 1);
  EXPECT_DOUBLE_EQ(test.rival_better, 1);
}

TEST(PairedTest, WhatIsNoNumberDecidesNothing) {
  const double nan = std::nan("");
  EXPECT_DOUBLE_EQ(tested({1, 1, 1, 1, 1}, {2, 2, nan, 2, 2}, each_its_own(5)).run_better, 1);
  EXPECT_DOUBLE_EQ(tested({1, 1, nan, 1, 1}, {2, 2, 2, 2, 2}, each_its_own(5)).run_better, 1);
}

TEST(PairedTest, ImagesOfOneGroupAreOneObservation) {
  const std::vector<double> run(12, 0.0), rival(12, 1.0);
  std::vector<std::int64_t> three;
  for (std::int64_t i = 0; i < 12; ++i) three.push_back(100 + i % 3);
  EXPECT_DOUBLE_EQ(tested(run, rival, three).run_better, 1.0 / 8);
  EXPECT_DOUBLE_EQ(tested(run, rival, each_its_own(12)).run_better, 1.0 / 4096);
}

TEST(PairedTest, ManyGroupsAreDrawnAndTheObservedOneCounts) {
  Rng rng(1);
  const at::Tensor run = at::zeros({40}, at::kDouble);
  const PairedTests tests =
      paired_tests(run, {at::ones({40}, at::kDouble), -at::ones({40}, at::kDouble)}, each_its_own(40), rng);
  EXPECT_FALSE(tests.exact);
  EXPECT_EQ(tests.groups, 40);
  EXPECT_DOUBLE_EQ(tests.of[0].run_better, 1.0 / (kDrawnFlips + 1));
  EXPECT_DOUBLE_EQ(tests.of[1].rival_better, 1.0 / (kDrawnFlips + 1));
}

TEST(PairedTest, HoldsItsLevelWhereRunAndRivalAreEquallyGood) {
  Rng rng(5);
  int rejected = 0;
  constexpr int kAudits = 400;
  std::vector<at::Tensor> rivals;
  for (int i = 0; i < kAudits; ++i) {
    at::Tensor rival = at::empty({20}, at::kDouble);
    for (int k = 0; k < 20; ++k) rival[k] = rng.normal();
    rivals.push_back(rival);
  }
  for (const PairedTest& test : paired_tests(at::zeros({20}, at::kDouble), rivals, each_its_own(20), rng).of)
    rejected += test.run_better < kTestLevel;
  EXPECT_LT(rejected, 35) << "5 % of 400 are 20; 35 or more come by chance in 1 of 1000";
  EXPECT_GT(rejected, 6) << "a test that never rejects is none";
}

TEST(HolmAdjusted, MultipliesByTheRivalsThatAreLeft) {
  EXPECT_THAT(holm_adjusted({0.04, 0.01, 0.03}),
              ::testing::ElementsAre(::testing::DoubleEq(0.06), ::testing::DoubleEq(0.03),
                                     ::testing::DoubleEq(0.06)));
  EXPECT_THAT(holm_adjusted({0.9, 0.8}), ::testing::ElementsAre(1, 1));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(PairsFor, AreTheLeastThatCanDecide) {
  EXPECT_EQ(pairs_for_rivals(1), 5) << "2^-5 < 0.05 < 2^-4";
  EXPECT_EQ(pairs_for_rivals(10), 8);
  EXPECT_EQ(pairs_for_rivals(100), 11);
  EXPECT_EQ(pairs_for_share(0.1), 35);
}

}  // namespace
}  // namespace torsor
