#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_metrics.h"
#include "metric/frechet.h"
#include "metric/kernel_distance.h"
#include "metric/neighbours.h"

namespace torsor {
namespace {

using GoldenSets = testing::GoldenMetrics;

double relative(double a, double b) { return std::abs(a - b) / std::abs(b); }

TEST_F(GoldenSets, FrechetDistance) {
  const auto &all = expected_["features"], &few = expected_["few"];
  const at::Tensor real = features("real"), fake = features("fake");
  const double fid = frechet_distance(real, fake);
  EXPECT_LT(relative(fid, all["fid"]), 1e-12);
  EXPECT_LT(relative(fid, all["fid_pytorch_fid"]), 1e-12);
  EXPECT_LT(relative(fid, all["fid_torch_fidelity"]), 1e-12);
  EXPECT_NEAR(frechet_distance(real, real), 0, 1e-11);
  EXPECT_LT(relative(frechet_distance(real, fake, FrechetForm::as_rows), fid), 1e-12);
  const double of_few = frechet_distance(features("few_real"), features("few_fake"));
  EXPECT_LT(relative(of_few, few["fid"]), 1e-12);
  EXPECT_LT(relative(of_few, few["fid_pytorch_fid"]), 1e-5);
  EXPECT_LT(relative(of_few, few["fid_torch_fidelity"]), 1e-5);
}

TEST_F(GoldenSets, KernelDistance) {
  const at::Tensor real = features("real"), fake = features("fake");
  EXPECT_NEAR(kernel_distance(real, fake), expected_["features"]["kid_unbiased_full"], 1e-13);
  EXPECT_NEAR(kernel_distance(features("few_real"), features("few_fake")),
              expected_["few"]["kid_unbiased_full"], 1e-13);
}

TEST_F(GoldenSets, KernelDistanceOnSubsets) {
  const Json recorded = read_json(folder_ / "kid_subsets.json");
  const at::Tensor real = features("real"), fake = features("fake");
  const auto rows = [](const Json& list) {
    return at::tensor(list.get<std::vector<std::int64_t>>(), at::kLong);
  };
  std::vector<double> values;
  for (const auto& subset : recorded["subsets"]) {
    values.push_back(kernel_distance(real.index_select(0, rows(subset["real"])),
                                     fake.index_select(0, rows(subset["fake"]))));
    EXPECT_NEAR(values.back(), subset["value"], 1e-13);
  }
  ASSERT_EQ(values.size(), 20U);
  const SubsetDistances all = summarize_subsets(values);
  EXPECT_NEAR(all.mean, recorded["mean"], 1e-13);
  EXPECT_NEAR(all.deviation, recorded["std_sample"], 1e-13);
  EXPECT_NEAR(all.spread_of_subsets, recorded["std_population"], 1e-13);
}

void expect_scores(const NeighbourScores& s, const Json& expected) {
  EXPECT_NEAR(s.precision, expected["precision"], 1e-14);
  EXPECT_NEAR(s.recall, expected["recall"], 1e-14);
  EXPECT_NEAR(s.density, expected["density"], 1e-14);
  EXPECT_NEAR(s.coverage, expected["coverage"], 1e-14);
}

TEST_F(GoldenSets, Neighbours) {
  const at::Tensor real = features("real"), fake = features("fake");
  const auto &all = expected_["features"], &few = expected_["few"];
  expect_scores(neighbour_scores(real, fake, 5), all["prdc_k5"]);
  expect_scores(neighbour_scores(real, fake, 3), all["prdc_k3"]);
  const Json& fidelity = all["precision_recall_k3_torch_fidelity"];  // in float32
  EXPECT_NEAR(neighbour_scores(real, fake, 3).precision, fidelity["precision"], 1e-7);
  EXPECT_NEAR(neighbour_scores(real, fake, 3).recall, fidelity["recall"], 1e-7);
  expect_scores(neighbour_scores(features("few_real"), features("few_fake"), 5), few["prdc_k5"]);
}

}  // namespace
}  // namespace torsor
