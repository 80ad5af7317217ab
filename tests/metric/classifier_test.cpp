#include "metric/classifier_test.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "metric/logistic.h"
#include "samples.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::normal_rows;
using testing::separate;

TEST(Logistic, HasNoSlopeAtItsMinimum) {
  Rng rng(1);
  const at::Tensor x = at::cat({normal_rows(30, 4, 0, rng), normal_rows(50, 4, 0.5, rng)});
  const at::Tensor classes = at::cat({at::zeros({30}, at::kDouble), at::ones({50}, at::kDouble)});
  const LogisticFit fit = fit_logistic(x, classes, 0.7);
  const at::Tensor share = 40.0 * (classes / 50 + (1 - classes) / 30);
  const at::Tensor miss = share * (at::sigmoid(fit.log_odds(x)) - classes);
  EXPECT_LT((at::mv(x.t(), miss) + 0.7 * fit.weights).abs().max().item<double>(), 1e-5);
  EXPECT_LT(std::abs(miss.sum().item<double>()), 1e-5);
  EXPECT_THROW(fit_logistic(x, at::ones({80}, at::kDouble), 1), Error);
}

TEST(ClassifierTest, NeverSplitsAGroup) {
  // Images 3 g, 3 g + 1, 3 g + 2 are of patient g; every patient has a translation too.
  SampleGroups groups;
  for (std::int64_t g = 0; g < 11; ++g) {
    for (int i = 0; i < 3; ++i) groups.real.push_back(g);
    groups.fake.push_back(g);
  }
  groups.count = 11;
  Rng rng(2);
  const auto folds = group_folds(groups, 5, rng);
  ASSERT_EQ(folds.size(), 11U) << "one fold for each group, whatever its images";
  EXPECT_EQ(std::set<std::int64_t>(folds.begin(), folds.end()).size(), 5U);
  Rng again(2);
  EXPECT_EQ(group_folds(groups, 5, again), folds);
}

// The same images under other names: whoever puts an image and its copy into different folds finds them
// equally often on either side, and whoever trains on the copy of what is tested is misled by its other
// label.
TEST(ClassifierTest, DoesNotSeeTheCopyOfWhatItJudges) {
  Rng rng(3);
  const at::Tensor x = normal_rows(60, 80, 0, rng);
  FeatureSets copies{x, x, {}};
  for (std::int64_t i = 0; i < 60; ++i) copies.groups.real.push_back(i);
  copies.groups.fake = copies.groups.real;
  copies.groups.count = 60;
  EXPECT_NEAR(classifier_metric(copies, {}).at("c2st").value, 0.5, 1e-6);
  EXPECT_LT(classifier_metric(separate(x, x), {}).at("c2st").value, 0.4) << "what groups protect against";
}

TEST(ClassifierTest, KeepsItsLevelAndNoticesAShift) {
  Rng rng(4);
  int alarms = 0, found = 0;
  constexpr int kTrials = 40;
  MetricOptions options;
  options.resamples = 300;
  for (int t = 0; t < kTrials; ++t) {
    options.metric_seed = t;
    const auto judge = [&](double shift) {
      const auto results =
          classifier_metric(separate(normal_rows(40, 60, 0, rng), normal_rows(30, 60, shift, rng)), options);
      return results.at("c2st").details.at("distinguishable").get<bool>();
    };
    alarms += judge(0);
    found += judge(0.4);
  }
  EXPECT_LE(alarms, 6) << "one-sided level 2.5 %, classifiers held fixed";
  EXPECT_GE(found, 36);
}

TEST(ClassifierTest, IsTheSameWhereFeaturesAreMoreThanImages) {
  Rng rng(5);
  const at::Tensor x = normal_rows(30, 20, 0, rng), y = normal_rows(30, 20, 0.5, rng);
  // Each feature four times: the same inner products of more features than images.
  const FeatureSets few = separate(x, y), many = separate(x.repeat({1, 4}), y.repeat({1, 4}));
  Rng draw(6);
  const auto folds = group_folds(few.groups, 5, draw);
  const at::Tensor scores = held_out_scores(few, folds, 5, 1);
  EXPECT_LT((scores - held_out_scores(many, folds, 5, 1)).abs().max().item<double>(), 1e-6);
}

TEST(ClassifierTest, RefusesTooFewGroups) {
  Rng rng(7);
  FeatureSets sets{normal_rows(20, 3, 0, rng), normal_rows(20, 3, 0, rng), {}};
  sets.groups = {std::vector<std::int64_t>(20, 0), std::vector<std::int64_t>(20, 0), 1};
  EXPECT_THAT(error_of([&] { classifier_metric(sets, {}); }), HasSubstr("groups are not split"));
}

}  // namespace
}  // namespace torsor
