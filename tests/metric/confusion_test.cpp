// Planted answers: the identity, a fixed permutation, a generator that ignores its input, one that draws at
// random.
#include "metric/confusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/rng.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

// Twenty inputs of each class, and the class of each output.
ConfusionMatrix planted(const std::function<std::int64_t(std::int64_t from, std::int64_t k)>& to) {
  ConfusionMatrix matrix(10);
  for (std::int64_t from = 0; from < 10; ++from)
    for (std::int64_t k = 0; k < 20; ++k) matrix.add(from, to(from, k));
  return matrix;
}

TEST(Confusion, TheIdentityIsRecovered) {
  const ConfusionSummary s = summarize(planted([](auto from, auto) { return from; }));
  EXPECT_EQ(cycles_text(s.permutation), "identity");
  EXPECT_DOUBLE_EQ(s.identity_share, 1);
  EXPECT_DOUBLE_EQ(s.permutation_share, 1);
  EXPECT_DOUBLE_EQ(s.row_entropy, 0);
  EXPECT_NEAR(s.mutual_information, std::log2(10), 1e-12);
}

TEST(Confusion, APermutationIsRecoveredThroughNoise) {
  const std::vector<std::int64_t> truth = {0, 1, 6, 5, 4, 3, 2, 8, 9, 7};
  const ConfusionSummary s = summarize(planted(
      [&](auto from, auto k) { return k < 15 ? truth[static_cast<std::size_t>(from)] : (from + k) % 10; }));
  EXPECT_EQ(s.permutation, truth);
  EXPECT_EQ(cycles_text(s.permutation), "(2 6)(3 5)(7 8 9)");
  EXPECT_THAT(cycle_type(s.permutation), ElementsAre(3, 2, 2, 1, 1, 1));
  EXPECT_GT(s.permutation_share, 0.74);
  EXPECT_LT(s.identity_share, 0.4);
}

TEST(Confusion, AGeneratorThatIgnoresItsInputPermutesNothing) {
  const ConfusionSummary s = summarize(planted([](auto, auto) { return 3; }));
  EXPECT_NEAR(s.output_entropy, 0, 1e-12);
  EXPECT_NEAR(s.mutual_information, 0, 1e-12);
  EXPECT_DOUBLE_EQ(s.permutation_share, 0.1);
}

TEST(Confusion, OutputsAtRandomTellNothingOfTheInput) {
  const ConfusionSummary s = summarize(planted([](auto, auto k) { return k % 10; }));
  EXPECT_NEAR(s.row_entropy, std::log2(10), 1e-12);
  EXPECT_NEAR(s.output_entropy, std::log2(10), 1e-12);
  EXPECT_NEAR(s.mutual_information, 0, 1e-12);
}

TEST(Confusion, InputsOfUnequalFrequencyAreWeighted) {
  ConfusionMatrix matrix(2);
  for (int i = 0; i < 3; ++i) matrix.add(0, 1);
  matrix.add(1, 0);
  const ConfusionSummary s = summarize(matrix);
  EXPECT_NEAR(s.output_entropy, 0.8112781, 1e-6) << "of 3/4 and 1/4";
  EXPECT_NEAR(s.mutual_information, 0.8112781, 1e-6);
  EXPECT_THAT(s.permutation, ElementsAre(1, 0));
}

TEST(Assignment, IsTheBestOfAll) {
  Rng rng(1);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<std::vector<double>> gains(6, std::vector<double>(6));
    for (auto& row : gains)
      for (double& v : row) v = rng.uniform();
    const auto sum_of = [&](const std::vector<std::int64_t>& columns) {
      double sum = 0;
      for (std::size_t i = 0; i < columns.size(); ++i) sum += gains[i][static_cast<std::size_t>(columns[i])];
      return sum;
    };
    std::vector<std::int64_t> columns(6);
    std::iota(columns.begin(), columns.end(), 0);
    double best = 0;
    do best = std::max(best, sum_of(columns));
    while (std::next_permutation(columns.begin(), columns.end()));
    EXPECT_DOUBLE_EQ(sum_of(best_assignment(gains)), best);
  }
}

TEST(Confusion, RefusesWhatIsNoneOfTheClasses) {
  ConfusionMatrix matrix(3);
  EXPECT_THAT(error_of([&] { matrix.add(0, 3); }), HasSubstr("0 to 2"));
  EXPECT_THAT(error_of([&] { matrix.add(-1, 0); }), HasSubstr("class -1"));
  EXPECT_THROW(summarize(matrix), Error);
  EXPECT_THROW(ConfusionMatrix(17), Error);
  EXPECT_THROW(cycles_text({1, 1, 0}), Error);
  EXPECT_THROW(cycles_text({0, 2, 5}), Error);
  EXPECT_THROW(best_assignment({{1, 2}}), Error);
}

}  // namespace
}  // namespace torsor
