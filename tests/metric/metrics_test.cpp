#include "metric/metrics.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "metric/frechet.h"
#include "metric/kernel_distance.h"
#include "metric/neighbours.h"
#include "samples.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::normal_rows;
using testing::separate;

TEST(Metrics, EachIsComplete) {
  for (const auto& name : metrics().names()) {
    const Metric& metric = metrics().at(name);
    EXPECT_FALSE(metric.help.empty()) << name;
    EXPECT_GE(metric.least({}), 1) << name;
    EXPECT_EQ(metric.kind == MetricKind::sets, metric.of_sets != nullptr) << name;
    EXPECT_EQ(metric.input == MetricInput::pixels, metric.of_pair != nullptr) << name;
  }
  EXPECT_THAT(error_of<UsageError>([] { metrics().at("kidd"); }), HasSubstr("did you mean 'kid'"));
}

// Of 2 N(0,1) sets of 30 and 40 in 8 dimensions: every metric, twice.
TEST(Metrics, OfSetsHaveAnIntervalTheSameEachTime) {
  Rng rng(1);
  const FeatureSets sets = separate(normal_rows(30, 8, 0, rng), normal_rows(40, 8, 0.3, rng));
  MetricOptions options;
  options.kid_subsets = 3;
  options.kid_subset_size = 20;
  SetScorer first(sets, options), second(sets, options);
  for (const auto& name : metric_names(MetricKind::sets)) {
    const Json json = first.score(name).json();
    EXPECT_EQ(json.dump(), second.score(name).json().dump()) << name;
    ASSERT_TRUE(json["interval"].is_array()) << name << json.dump();
    EXPECT_LE(json["interval"][0], json["value"]) << name;
    EXPECT_GE(json["interval"][1], json["value"]) << name;
    EXPECT_EQ(json["protocol"]["metric"], name);
    EXPECT_EQ(json["protocol"]["fake"], 40);
    EXPECT_EQ(json["protocol"]["resamples"], 1000);
  }
  EXPECT_EQ(first.score("kid").json()["subsets"]["size"], 20);
  EXPECT_EQ(first.score("recall").json()["protocol"]["nearest_k"], 5);
}

// A translator that makes one image of all, noise, and copies of the real ones.
TEST(Metrics, OfSetsScoreBadlyWhatIsBad) {
  Rng rng(2);
  const at::Tensor real = normal_rows(60, 6, 0, rng);
  MetricOptions options;
  options.resamples = 0;
  const auto score = [&](const at::Tensor& fake, const std::string& name) {
    return SetScorer(separate(real, fake), options).score(name).value;
  };
  const at::Tensor good = normal_rows(60, 6, 0, rng), noise = 8 * normal_rows(60, 6, 0, rng);
  const at::Tensor collapsed = real.narrow(0, 0, 1) + 0.01 * normal_rows(60, 6, 0, rng);
  for (const auto& bad : {noise, collapsed})
    for (const std::string name : {"fid", "kid", "c2st"})
      EXPECT_GT(score(bad, name), 1.3 * std::max(0.3, score(good, name))) << name;
  EXPECT_GT(score(good, "precision"), 0.8);
  EXPECT_GT(score(good, "recall"), 0.8);
  EXPECT_LT(score(noise, "precision"), 0.1);
  EXPECT_LT(score(collapsed, "recall"), 0.2) << "one point has no neighbourhood";
  EXPECT_LT(score(collapsed, "coverage"), 0.3);
  EXPECT_EQ(score(real.clone(), "coverage"), 1);
}

TEST(Metrics, RefuseSetsThatAreTooSmall) {
  Rng rng(3);
  const at::Tensor many = normal_rows(20, 3, 0, rng);
  const auto refusal = [&](std::int64_t n, const std::string& name) {
    return error_of([&] { SetScorer(separate(many, many.narrow(0, 0, n)), {}).score(name); });
  };
  EXPECT_THAT(refusal(1, "kid"),
              HasSubstr("kid needs 2 images or more in each set, and there are 20 real and 1"));
  EXPECT_THAT(refusal(1, "fid"), HasSubstr("fid needs 2 images"));
  EXPECT_THAT(refusal(5, "coverage"), HasSubstr("coverage needs 6 images"));
  EXPECT_THAT(refusal(4, "c2st"), HasSubstr("c2st needs 5 images"));
  SetScorer few(separate(many.narrow(0, 0, 4), many), {});
  EXPECT_EQ(few.score("kid").json()["interval"], nullptr);
  EXPECT_THAT(few.score("kid").json()["no_interval"].get<std::string>(), HasSubstr("4 groups"));
}

TEST(Metrics, OneGroupHasNoInterval) {
  Rng rng(4);
  FeatureSets sets{normal_rows(20, 3, 0, rng), normal_rows(20, 3, 0, rng), {}};
  sets.groups = {std::vector<std::int64_t>(20, 0), std::vector<std::int64_t>(20, 1), 2};
  SetScorer scorer(sets, {});
  for (const std::string name : {"fid", "kid", "precision", "density"})
    EXPECT_THAT(scorer.score(name).uncertainty.none, HasSubstr("1 group of images")) << name;
}

TEST(Metrics, RefuseDamagedFeatures) {
  Rng rng(5);
  at::Tensor x = normal_rows(10, 3, 0, rng);
  const at::Tensor y = x.clone();
  x[2][1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error_of([&] { SetScorer(separate(x, y), {}); }), HasSubstr("real set are NaN"));
  EXPECT_THAT(error_of([&] { SetScorer(separate(y, at::zeros({10, 4})), {}); }), HasSubstr("two extractors"));
  EXPECT_THAT(error_of([&] { SetScorer({y, y, ungrouped(10, 9)}, {}); }), HasSubstr("fake set"));
  EXPECT_THROW(SetScorer(separate(y, y), {}).score("psnr"), UsageError);
}

TEST(Frechet, IsTheFormulaForDiagonalCovariances) {
  // Rows +-a on each axis: mean 0, covariance a^2 2/(2 d - 1).
  const auto cross = [](double a) {
    return at::cat({a * at::eye(3, at::kDouble), -a * at::eye(3, at::kDouble)});
  };
  const double variance = 2.0 / 5;
  EXPECT_NEAR(frechet_distance(cross(1), cross(3) + 2), 3 * 4 + 3 * variance * (1 + 9 - 2 * 3), 1e-12);
}

TEST(Frechet, AllFormsAgree) {
  Rng rng(6);
  for (const std::int64_t d : {5, 70}) {
    const at::Tensor x = normal_rows(60, d, 0, rng), y = normal_rows(50, d, 0.4, rng);
    const double rows = frechet_distance(x, y, FrechetForm::as_rows);
    EXPECT_NEAR(frechet_distance(x, y, FrechetForm::reduced), rows, 1e-11 * rows) << d;
    EXPECT_NEAR(frechet_distance(x, y), rows, 1e-11 * rows) << d;
  }
  // More rows than one block of the reduction.
  const at::Tensor x = normal_rows(5000, 3, 0, rng), y = normal_rows(4100, 3, 0, rng);
  EXPECT_NEAR(frechet_distance(x, y), frechet_distance(x, y.flip(0)), 1e-12);
  EXPECT_LT(frechet_distance(x, y), 0.01);
}

TEST(Frechet, WarnsOfFewerImagesThanFeatures) {
  Rng rng(7);
  const auto warnings = [&](std::int64_t n) {
    return frechet_metric(separate(normal_rows(n, 10, 0, rng), normal_rows(30, 10, 0, rng)), {})
        .at("fid")
        .warnings;
  };
  EXPECT_TRUE(warnings(11).empty());
  ASSERT_EQ(warnings(10).size(), 1U);
  EXPECT_THAT(warnings(10).front(), HasSubstr("10 images with 10 features"));
}

TEST(KernelDistance, DoesNotTakeOneSetTwiceForOne) {
  Rng rng(8);
  const at::Tensor x = normal_rows(30, 4, 0, rng);
  EXPECT_EQ(kernel_distance(x, x), kernel_distance(x, x.clone()));
  EXPECT_LT(kernel_distance(x, x), 0) << "unbiased for independent sets, which these are not";
}

TEST(KernelDistance, SubsetsAreDrawnWithoutReplacement) {
  Rng rng(9);
  const at::Tensor x = normal_rows(30, 4, 0, rng), y = normal_rows(30, 4, 0, rng);
  const SubsetDistances whole = subset_distances(x, y, 4, 30, rng);
  EXPECT_NEAR(whole.mean, kernel_distance(x, y), 1e-12);
  EXPECT_LT(whole.deviation, 1e-12);
  EXPECT_GT(subset_distances(x, y, 4, 20, rng).deviation, 1e-3);
  EXPECT_THROW(subset_distances(x, y, 4, 31, rng), Error);
}

TEST(Neighbours, AreStrictlyInside) {
  // Reals 0, 1, 2, 3 with k = 1 have radii of 1.
  const auto column = [](std::vector<double> v) { return at::tensor(v, at::kDouble).view({-1, 1}); };
  const at::Tensor real = column({0, 1, 2, 3});
  const NeighbourScores s = neighbour_scores(real, column({4, 7}), 1);
  EXPECT_EQ(s.precision, 0) << "4 is as far from 3 as its radius";
  EXPECT_EQ(s.recall, 0.5) << "2 and 3 are nearer to 4 than its radius of 3; 1 is as far";
  const NeighbourScores near = neighbour_scores(real, column({3.5, 1.5}), 1);
  EXPECT_EQ(near.precision, 1);
  EXPECT_EQ(near.density, 1.5);
  EXPECT_EQ(near.coverage, 0.75);
  EXPECT_THROW(neighbour_scores(real, real, 4), Error);
}

TEST(PairSummary, CountsInfiniteOnesAndPools) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const MetricResult r = summarize_pairs("psnr", {10, kInfinity, 20}, ungrouped(3, 0), {});
  EXPECT_EQ(r.value, 15);
  EXPECT_EQ(r.details["infinite"], 1);
  EXPECT_NEAR(r.details["pooled"], -10 * std::log10((0.1 + 0.01) / 3), 1e-12);
  EXPECT_THAT(r.uncertainty.none, HasSubstr("2 groups"));
  const Json all = summarize_pairs("psnr", {kInfinity, kInfinity}, ungrouped(2, 0), {}).json();
  EXPECT_EQ(all["value"], "inf");
  EXPECT_EQ(all["pooled"], "inf");
  EXPECT_THROW(summarize_pairs("psnr", {}, {}, {}), Error);
  EXPECT_THROW(summarize_pairs("mae", {std::nan("")}, ungrouped(1, 0), {}), Error);
  EXPECT_THROW(summarize_pairs("kid", {1}, ungrouped(1, 0), {}), UsageError);
}

TEST(PairSummary, TheIntervalIsThatOfTheMean) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 10);
  const MetricResult r = summarize_pairs("mae", values, ungrouped(100, 0), {});
  EXPECT_EQ(r.value, 4.5);
  EXPECT_NEAR(r.uncertainty.interval->low, 4.5 - 1.98 * 0.2887, 0.08);
  EXPECT_NEAR(r.uncertainty.interval->high, 4.5 + 1.98 * 0.2887, 0.08);
  EXPECT_NEAR(*r.uncertainty.standard_error, 0.2887, 0.02);
}

}  // namespace
}  // namespace torsor
