// Whether a map keeps a distribution: planted maps that do and that do not.
#include "audit/equivalence.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "planted_material.h"

namespace torsor::equivalence_test {
namespace {

using testing::drawn_images;
using ::testing::HasSubstr;
using testing::PlantedAudit;

constexpr double kLine = 0.55;

std::vector<std::int64_t> alone(std::int64_t count) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

at::Tensor normal_rows(std::int64_t n, std::int64_t d) {
  at::manual_seed(11);
  return at::randn({n, d}, at::kDouble);
}

MetricOptions few_resamples() {
  MetricOptions out;
  out.resamples = 300;
  return out;
}

Equivalence tested(const at::Tensor& x, const at::Tensor& moved) {
  return equivalence_of(transformed_accuracy(x, moved, alone(x.size(0)), few_resamples()), kLine);
}

TEST(EquivalenceTest, AnAutomorphismIsShownOnImagesEnough) {
  for (const std::int64_t width : {4, 100}) {  // 100: in principal components
    const at::Tensor x = normal_rows(800, width);
    EXPECT_EQ(tested(x, -x), Equivalence::shown) << width;
  }
}

TEST(EquivalenceTest, AnotherMapIsExcluded) {
  for (const std::int64_t width : {4, 100}) {
    const at::Tensor x = normal_rows(200, width);
    EXPECT_EQ(tested(x, x + 0.5), Equivalence::excluded) << "another mean, " << width;
    EXPECT_EQ(tested(x, 2 * x), Equivalence::excluded) << "another spread, " << width;
  }
}

TEST(EquivalenceTest, ASmallChangeThatIsAlwaysTheSameIsSeenBesideLargeVariation) {
  at::Tensor x = normal_rows(200, 100);
  x.select(1, 7) = 0.001 * x.select(1, 7) + 0.002;
  at::Tensor moved = x.clone();
  moved.select(1, 7) *= -1;
  EXPECT_EQ(tested(x, moved), Equivalence::excluded);
}

TEST(EquivalenceTest, WhatChangesNothingIsNotTold) {
  const at::Tensor x = normal_rows(50, 100);
  const Estimate accuracy = transformed_accuracy(x, x.clone(), alone(50), few_resamples());
  EXPECT_EQ(accuracy.value, 0.5);
  EXPECT_EQ(equivalence_of(accuracy, kLine), Equivalence::shown);
}

TEST(EquivalenceTest, FewImagesLeaveEitherUndecided) {
  const at::Tensor x = normal_rows(60, 4);
  EXPECT_EQ(tested(x, -x), Equivalence::undecided);
  EXPECT_EQ(tested(x, x + 0.2), Equivalence::undecided);
}

TEST(EquivalenceTest, FewGroupsGiveNoIntervalHoweverManyImages) {
  const at::Tensor x = normal_rows(400, 4);
  std::vector<std::int64_t> patients;
  for (std::int64_t i = 0; i < 400; ++i) patients.push_back(i / 100);
  const Estimate accuracy = transformed_accuracy(x, x + 3, patients, few_resamples());
  EXPECT_FALSE(accuracy.interval);
  EXPECT_THAT(accuracy.no_interval, HasSubstr("4 groups"));
  EXPECT_EQ(equivalence_of(accuracy, kLine), Equivalence::undecided);
}

TEST(EquivalenceTest, SlicesOfOnePatientAreNoFurtherEvidence) {
  // Twelve patients with a mean of their own each: a patient's mirrored slices are recognised by the patient.
  at::manual_seed(4);
  const at::Tensor means = at::randn({12, 4}, at::kDouble).repeat_interleave(50, 0);
  const at::Tensor x = means + 0.05 * at::randn({600, 4}, at::kDouble);
  std::vector<std::int64_t> patients;
  for (std::int64_t i = 0; i < 600; ++i) patients.push_back(i / 50);
  EXPECT_EQ(equivalence_of(transformed_accuracy(x, -x, patients, few_resamples()), kLine),
            Equivalence::undecided);
  EXPECT_EQ(tested(x, -x), Equivalence::excluded)
      << "without groups the sample's accident is taken for the law";
}

TEST(EquivalenceTest, AnAccuracyBelowGuessingIsNoCertainty) {
  EXPECT_EQ(equivalence_of({0.5, Interval{0.46, 0.54}, ""}, kLine), Equivalence::shown);
  EXPECT_EQ(equivalence_of({0.4, Interval{0.32, 0.48}, ""}, kLine), Equivalence::undecided) << "0.5 to 0.58";
  EXPECT_EQ(equivalence_of({0.4, Interval{0.36, 0.44}, ""}, kLine), Equivalence::shown);
}

TEST(EquivalenceTest, SaysHowManyImagesWouldDecide) {
  const Estimate wide{0.5, Interval{0.4, 0.6}, ""};
  EXPECT_EQ(images_to_decide(wide, 100, kLine), 1100) << "100 (3.24 / 1.96 * 0.1 / 0.05)^2 = 1093";
  EXPECT_EQ(images_to_decide({0.3, Interval{0.2, 0.6}, ""}, 100, kLine), 4400)
      << "below a half is chance: 4370";
  EXPECT_EQ(images_to_decide({0.5, std::nullopt, "few"}, 100, kLine), 0);
}

TEST(EquivalenceTest, OneExtractorThatTellsExcludesAndAllMustShow) {
  const auto test = [](const char* name, double low, double high) {
    return Json{{"extractor", name},
                {"images", 100},
                {"accuracy", Estimate{(low + high) / 2, Interval{low, high}, ""}.json()}};
  };
  const Json shows = test("blind", 0.45, 0.54), tells = test("pixels", 0.6, 0.7),
             open = test("pixels", 0.5, 0.6);
  EXPECT_EQ(equivalence_of_tests({shows, tells}, kLine), Equivalence::excluded);
  EXPECT_EQ(telling_test({shows, tells}, kLine).at("extractor"), "pixels");
  EXPECT_EQ(equivalence_of_tests({open, shows}, kLine), Equivalence::undecided);
  EXPECT_EQ(telling_test({shows, open}, kLine).at("extractor"), "pixels");
  EXPECT_EQ(equivalence_of_tests({shows, shows}, kLine), Equivalence::shown);
  EXPECT_EQ(equivalence_of_tests(Json::array(), kLine), Equivalence::undecided);
}

TEST(EquivalenceTest, OfDrawnImagesTheHueIsAndTheLightIsNot) {
  PlantedAudit audit;
  audit.inputs.a = drawn_images("circles-squares", "a", 60, 32);
  audit.inputs.b = drawn_images("circles-squares", "b", 8, 32);
  audit.inputs.more_a = drawn_images("circles-squares", "a", 500, 32, /*seed=*/2);
  EquivalenceTests tests(audit.material(), "a", 500);
  EXPECT_EQ(tests.size(), 500) << "held-out and training images together";
  EXPECT_EQ(tests.screened(), 60);
  audit.options.symmetries = "hue-120,vflip";
  const std::vector<Symmetry> both = symmetries_for(audit.options, audit.inputs.a);
  const Json hue = tests.decide(both[0], 500), light = tests.screen(both[1]);
  EXPECT_EQ(equivalence_of_tests(hue, kLine), Equivalence::shown) << hue.dump();
  EXPECT_EQ(equivalence_of_tests(tests.screen(both[0]), kLine), Equivalence::undecided);
  EXPECT_EQ(equivalence_of_tests(light, kLine), Equivalence::excluded) << light.dump();
  EXPECT_EQ(hue.size(), 1u) << "the audit's extractor is that of the pixels";
}

TEST(EquivalenceTest, ATrainingImageThatIsHeldOutTooCountsOnce) {
  PlantedAudit audit;
  audit.inputs.a = drawn_images("circles-squares", "a", 10, 16);
  audit.inputs.b = drawn_images("circles-squares", "b", 8, 16);
  audit.inputs.more_a = drawn_images("circles-squares", "a", 14, 16);
  EXPECT_EQ(EquivalenceTests(audit.material(), "a", 100).size(), 14);
}

}  // namespace
}  // namespace torsor::equivalence_test
