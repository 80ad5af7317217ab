// Every outcome of part I, from planted numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/parts.h"
#include "audit/rival_standing.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json planted_estimate(double value, double low, double high) {
  return {{"value", value}, {"interval", {low, high}}};
}

Json rival(const std::string& id, double error, double run_better, double rival_better) {
  return {{"id", id},
          {"text", "the answer " + id},
          {"error", error},
          {"displacement", 0.5},
          {"worst_displacement", 0.8},
          {"floor", 0.02},
          {"worst_floor", 0.05},
          {"run_better", run_better},
          {"rival_better", rival_better}};
}

Json correction(const std::string& name, const std::string& kind, double value, double low) {
  return {{"name", name},
          {"text", "a change of " + name},
          {"kind", kind},
          {"improvement", planted_estimate(value, low, value + 0.1)},
          {"taken_away", value * 0.5}};
}

// Numbers of 60 pairs that are green.
Json green_pairs() {
  return {{"pairs", 60},
          {"groups", 60},
          {"error", planted_estimate(0.2, 0.18, 0.22)},
          {"worst_error", planted_estimate(0.3, 0.28, 0.32)},
          {"copies", false},
          {"rivals",
           {rival("run:two", 0.5, 0.0001, 1), rival("symmetry:a:hflip", 0.6, 0.0001, 1),
            rival("symmetry:b:hue-120", 0.7, 0.0001, 1), rival("unrelated", 1, 0.0001, 1)}},
          {"corrections",
           {correction("colour", "calibration", 0.01, -0.02), correction("symmetry", "wrong_map", 0, -0.01),
            correction("filter", "sharpness", 0.6, 0.5)}},
          {"wrong", {{"share", 0.0}, {"interval", {0.0, 0.06}}, {"groups", 60}}},
          {"shown", {0, 1, 2}}};
}

Json anchors_of(const Json& pairs) { return {{"directions", {{"a_to_b", {{"pairs", pairs}}}}}}; }

AuditFinding judged(const Json& pairs, Json parts = Json::object()) {
  parts["anchors"] = anchors_of(pairs);
  const std::vector<AuditFinding> findings = anchors_part().judge(parts, {});
  EXPECT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings.at(0).id, "anchors-a_to_b");
  EXPECT_EQ(findings.at(0).role, FindingRole::evidence);
  return findings.at(0);
}

TEST(AnchorsJudge, GreenWhereAllIsBeatenAndNothingHelps) {
  const AuditFinding finding = judged(green_pairs());
  EXPECT_EQ(finding.verdict, AuditVerdict::green) << finding.title;
  EXPECT_THAT(finding.text, HasSubstr("each of 4 answers"));
  EXPECT_EQ(finding.needed, "");
}

TEST(AnchorsJudge, RedWhereARivalIsPreferred) {
  Json pairs = green_pairs();
  pairs["rivals"][1] = rival("symmetry:a:hflip", 0.1, 1, 0.0001);
  const AuditFinding finding = judged(pairs);
  EXPECT_EQ(finding.verdict, AuditVerdict::red);
  EXPECT_THAT(finding.text, HasSubstr("the answer symmetry:a:hflip"));
  EXPECT_THAT(finding.text, HasSubstr("50 %"));
}

TEST(AnchorsJudge, AmberWhereARivalIsBetterByLess) {
  Json pairs = green_pairs();
  pairs["rivals"][0] = rival("run:two", 0.19, 1, 0.0001);
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber);
}

TEST(AnchorsJudge, ARivalIsPreferredOnlyAfterTheCorrectionForAll) {
  Json pairs = green_pairs();
  pairs["rivals"][1] = rival("symmetry:a:hflip", 0.1, 1, 0.02);
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber) << "0.02 times four rivals is above 0.05";
  pairs["rivals"][1]["rival_better"] = 0.012;
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::red);
}

TEST(AnchorsJudge, AnExcludedSymmetryThatPairsPreferIsRedAllTheSame) {
  Json pairs = green_pairs();
  pairs["rivals"][1] = rival("symmetry:a:hflip", 0.1, 1, 0.0001);
  const Json parts = {
      {"symmetries", {{"rivals", {{{"id", "symmetry:a:hflip"}, {"automorphism", "excluded"}}}}}}};
  EXPECT_EQ(judged(pairs, parts).verdict, AuditVerdict::red);
}

TEST(AnchorsJudge, AnUndecidedRivalThatIsNotBeatenBlocksGreen) {
  Json pairs = green_pairs();
  pairs["rivals"][1] = rival("symmetry:a:hflip", 0.25, 0.2, 0.8);
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber);
  EXPECT_THAT(judged(pairs).text, HasSubstr("the answer symmetry:a:hflip"));
  for (const auto& [automorphism, verdict] :
       {std::pair("undecided", AuditVerdict::amber), std::pair("shown", AuditVerdict::amber),
        std::pair("excluded", AuditVerdict::green)}) {
    const Json parts = {
        {"symmetries", {{"rivals", {{{"domain", "a"}, {"name", "hflip"}, {"automorphism", automorphism}}}}}}};
    EXPECT_EQ(judged(pairs, parts).verdict, verdict) << automorphism;
  }
}

TEST(AnchorsJudge, ASymmetryThatMovesTooLittleNeedNotBeBeaten) {
  Json pairs = green_pairs();
  pairs["rivals"][1] = rival("symmetry:a:hflip", 0.21, 0.4, 0.6);
  pairs["rivals"][1]["displacement"] = 0.06;
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber) << "it moves a patch by 0.8";
  pairs["rivals"][1]["worst_displacement"] = 0.1;
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::green);
}

// The part "seeds" of two runs, whose excess over the floor is at least `low`.
Json seeds_apart(double low) {
  const Json excess = planted_estimate(low + 0.05, low, low + 0.1);
  return {{"seeds",
           {{"names", {"one", "two"}},
            {"pairs", {{{"i", 1}, {"j", 0}, {"excess", excess}, {"worst_patch_excess", excess}}}}}}};
}

TEST(AnchorsJudge, ABetterRunMakesRedOnlyWhereItIsAnotherAnswer) {
  Json pairs = green_pairs();
  pairs["rivals"][0] = rival("run:two", 0.15, 1, 0.0001);
  EXPECT_EQ(judged(pairs, seeds_apart(0.9)).verdict, AuditVerdict::red);
  const AuditFinding finding = judged(pairs, seeds_apart(0));
  EXPECT_EQ(finding.verdict, AuditVerdict::amber);
  EXPECT_THAT(finding.text, HasSubstr("not shown to be different answers"));
  pairs["rivals"][0] = rival("run:two", 0.05, 1, 0.0001);
  EXPECT_EQ(judged(pairs, seeds_apart(0)).verdict, AuditVerdict::red)
      << "better by more than the margin between answers: pairs show it";
  pairs["rivals"][0] = rival("run:two", 0.12, 1, 0.0001);
  pairs["rivals"][1] = rival("symmetry:a:hflip", 0.15, 1, 0.0001);
  EXPECT_EQ(judged(pairs, seeds_apart(0)).verdict, AuditVerdict::red)
      << "the better run does not hide another answer";
}

TEST(AnchorsJudge, ARunOfTheSameSolutionIsNoRival) {
  Json pairs = green_pairs();
  pairs["rivals"][0] = rival("run:two", 0.15, 1, 0.0001);
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber);
  pairs["rivals"][0]["displacement"] = 0.11;
  pairs["rivals"][0]["worst_displacement"] = 0.3;
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::green) << "within the margins of the floor";
}

TEST(AnchorsJudge, CorrectionsOfTheMapCountAndThoseOfSharpnessDoNot) {
  struct Case {
    Json correction;
    AuditVerdict verdict;
  };
  for (const Case& c : {Case{correction("symmetry", "wrong_map", 0.2, 0.1), AuditVerdict::red},
                        Case{correction("symmetry", "wrong_map", 0.2, -0.1), AuditVerdict::amber},
                        Case{correction("colour", "calibration", 0.5, 0.4), AuditVerdict::red},
                        Case{correction("colour", "calibration", 0.2, 0.1), AuditVerdict::amber},
                        Case{correction("curve", "calibration", 0.5, 0.4), AuditVerdict::amber},
                        Case{correction("shift", "calibration", 0.5, 0.4), AuditVerdict::amber},
                        Case{correction("filter", "sharpness", 0.9, 0.8), AuditVerdict::green},
                        Case{correction("colour", "calibration", 0.09, 0.05), AuditVerdict::green}}) {
    Json pairs = green_pairs();
    pairs["corrections"].push_back(c.correction);
    EXPECT_EQ(judged(pairs).verdict, c.verdict) << c.correction.dump();
  }
}

TEST(AnchorsJudge, ACorrectionThatTakesNextToNothingAwayDoesNotCount) {
  Json pairs = green_pairs();
  pairs["corrections"].push_back(correction("colour", "calibration", 0.5, 0.4));
  pairs["corrections"].back()["taken_away"] = 0.01;
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::green);
}

TEST(AnchorsJudge, WrongPairs) {
  Json pairs = green_pairs();
  pairs["wrong"] = {{"share", 0.05}, {"interval", {0.02, 0.14}}, {"groups", 60}};
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber);
  pairs["wrong"] = {{"share", 0.7}, {"interval", {0.55, 0.8}}, {"groups", 60}};
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::red);
}

TEST(AnchorsJudge, ACopyIsRightOnlyWhereCopyingIs) {
  Json pairs = green_pairs();
  pairs["copies"] = true;
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber);
  pairs["error"] = planted_estimate(0.01, 0.005, 0.02);
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::green);
}

TEST(AnchorsJudge, WithoutCorrectionsItIsNotGreen) {
  Json pairs = green_pairs();
  pairs["corrections"] = Json::array();
  EXPECT_EQ(judged(pairs).verdict, AuditVerdict::amber);
}

TEST(AnchorsJudge, TooFewPairsSayHowManyItTakes) {
  Json pairs = green_pairs();
  pairs["pairs"] = pairs["groups"] = 4;
  for (Json& one : pairs["rivals"]) one["run_better"] = 1.0 / 16;
  pairs["wrong"] = {{"share", 0.0}, {"interval", {0.0, 0.49}}, {"groups", 4}};
  const AuditFinding finding = judged(pairs);
  EXPECT_EQ(finding.verdict, AuditVerdict::amber);
  EXPECT_THAT(finding.needed, HasSubstr("at least 8 pairs")) << "4 rivals, both ways: log2(160)";
  EXPECT_THAT(finding.needed, HasSubstr("at least 35 pairs"));
}

TEST(BeatenRivals, AreThoseBeatenInEveryDirectionInWhichTheyDiffer) {
  Json anchors = anchors_of(green_pairs());
  Json back = green_pairs();
  back["rivals"] = {rival("symmetry:a:hflip", 0.3, 0.5, 0.5), rival("symmetry:b:hue-120", 0.2, 1, 1)};
  back["rivals"][1]["displacement"] = back["rivals"][1]["worst_displacement"] = 0.0;
  anchors["directions"]["b_to_a"]["pairs"] = back;
  EXPECT_THAT(beaten_rivals(anchors, {}, {}), ElementsAre("run:two", "symmetry:b:hue-120", "unrelated"));
  // Labels can beat what pairs do not.
  Json labels = back;
  labels["rivals"] = {rival("symmetry:a:hflip", 0.9, 0.001, 1)};
  anchors["directions"]["b_to_a"]["labels"] = labels;
  EXPECT_THAT(beaten_rivals(anchors, {}, {}), ::testing::Contains("symmetry:a:hflip"));
}

}  // namespace
}  // namespace torsor
