// The limit of detection, and which pair to acquire.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "audit/parts.h"
#include "audit/planted_changes.h"
#include "planted_translators.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using namespace torsor::testing;

Json measured_part(const AuditPart& part, AuditInputs inputs, const std::filesystem::path& folder) {
  AuditOptions options;
  options.resamples = 200;
  StopFlag stop;
  AuditMaterial material(std::move(inputs), options, folder, std::make_shared<NullLog>(), stop);
  return part.measure(material);
}

AuditedRun exact_run(const std::string& name) { return planted_run(name, true_b, true_a); }

const Json& limit_of(const Json& detection, const std::string& kind, const std::string& test) {
  for (const Json& limit : detection.at("limits"))
    if (limit.at("kind") == kind && limit.at("test") == test) return limit;
  ADD_FAILURE() << "no limit for " << kind << " by " << test;
  static const Json none;
  return none;
}

TEST(PlantedChanges, AreWhatTheySayAndGrowWithTheirSize) {
  Rng rng(1);
  const at::Tensor x = scenes("a", 8, 4).values;
  std::map<std::string, double> last;
  for (const PlantedChange& change : planted_changes({8, 3, kSceneSide, -1}, rng)) {
    const at::Tensor changed = change.map(x);
    EXPECT_TRUE(changed.equal(change.map(x))) << change.kind << ": at the same places each time";
    const double moved = (changed - x).abs().mean().item<double>();
    EXPECT_GT(moved, last[change.text]) << change.text << " " << change.size;
    last[change.text] = moved;
    if (change.kind == "hue") {
      EXPECT_TRUE(at::allclose(changed.mean(1), x.mean(1), 0, 1e-5)) << "a hue moves no brightness";
    }
    if (change.kind == "lesion") {
      EXPECT_GE((changed - x).min().item<double>(), 0);
    }
  }
  EXPECT_EQ(last.size(), 5u) << "hue, patch, two spots, gain";
}

TEST(Detection, FindsALargeChangeAndNotATinyOne) {
  TestFolder folder;
  const Json part =
      measured_part(detection_part(), planted_inputs({exact_run("one"), exact_run("two")}), folder.path);
  for (const Json& limit : part.at("limits")) {
    // From the smallest size that is found on, all are.
    bool found = false;
    for (const Json& one : limit.at("found")) {
      const bool is_limit = one.at("size") == limit.at("smallest");
      found = found || is_limit;
      if (found) {
        EXPECT_GE(one.at("share").get<double>(), 0.95) << limit.dump();
      }
    }
  }
  const Json& hue = limit_of(part, "hue", "pairs");
  ASSERT_FALSE(hue.at("smallest").is_null());
  EXPECT_LE(hue.at("smallest").get<double>(), 45);
  EXPECT_EQ(limit_of(part, "hue", "runs").at("found").at(0).at("share"), 0.0)
      << "5 degrees are below a margin";
  EXPECT_FALSE(limit_of(part, "hue", "runs").at("smallest").is_null());
  EXPECT_TRUE(limit_of(part, "hue", "runs").at("available").get<bool>());
  const Json& lesion = limit_of(part, "lesion", "pairs");
  EXPECT_EQ(lesion.at("found").at(0).at("share"), 0.0) << "a faint spot of one pixel";
  const auto findings = detection_part().judge({{"detection", part}}, {});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].role, FindingRole::note);
  EXPECT_THAT(findings[0].text, HasSubstr("a change of hue of "));
}

TEST(Detection, OneRunWithoutPairsHasNoTestOfRuns) {
  TestFolder folder;
  const Json part =
      measured_part(detection_part(), planted_inputs({exact_run("one")}, {.pairs = 0}), folder.path);
  EXPECT_FALSE(limit_of(part, "hue", "runs").at("available").get<bool>());
  for (const Json& limit : part.at("limits")) EXPECT_NE(limit.at("test"), "pairs");
}

TEST(Detection, WhatIsRefusedWithoutAChangeIsNotFoundByIt) {
  TestFolder folder;
  const Json part =
      measured_part(detection_part(), planted_inputs({exact_run("one")}, {.pairs = 10}), folder.path);
  EXPECT_TRUE(limit_of(part, "hue", "pairs").at("smallest").is_null()) << "10 pairs cannot be green anyway";
}

TEST(Acquire, RanksTheImagesOnWhichRivalsDiffer) {
  TestFolder folder;
  // The second run differs on one image only, which it makes negative.
  AuditInputs inputs = planted_inputs({exact_run("one"), exact_run("two")}, {.pairs = 0});
  const at::Tensor odd = inputs.a.values[7].clone();
  inputs.runs[1].maps.a_to_b = [odd](const at::Tensor& x) {
    return where_image((x - odd).abs().amax({1, 2, 3}) == 0, -true_b(x) * 4, true_b(x));
  };
  const Json part = measured_part(acquire_part(), std::move(inputs), folder.path);
  // All symmetries are excluded, so that the run alone is left.
  Json excluded = Json::array();
  for (const char* domain : {"a", "b"})
    for (const Json& rival : part.at("domains").at(domain).at("rivals"))
      if (rival.at("id") != "run:two")
        excluded.push_back({{"id", rival.at("id")}, {"automorphism", "excluded"}});
  const auto findings = acquire_part().judge({{"acquire", part}, {"symmetries", {{"rivals", excluded}}}}, {});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].text, HasSubstr("1 other answers are left"));
  EXPECT_THAT(findings[0].text, HasSubstr("on these images: 007.png (A)"));
  EXPECT_THAT(findings[0].text, HasSubstr("at least 6 images"));
}

TEST(Acquire, NothingIsLeftWhenAllIsBeaten) {
  TestFolder folder;
  const Json part =
      measured_part(acquire_part(), planted_inputs({exact_run("one")}, {.pairs = 0}), folder.path);
  Json beaten = Json::array();
  for (const char* domain : {"a", "b"})
    for (const Json& rival : part.at("domains").at(domain).at("rivals")) beaten.push_back(rival.at("id"));
  const auto findings = acquire_part().judge({{"acquire", part}, {"anchors", {{"beaten", beaten}}}}, {});
  EXPECT_EQ(findings[0].verdict, AuditVerdict::green);
  EXPECT_EQ(findings[0].role, FindingRole::note);
}

}  // namespace
}  // namespace torsor
