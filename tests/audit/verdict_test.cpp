#include "audit/verdict.h"

#include <gtest/gtest.h>

#include "audit/run_classes.h"
#include "audit/solution.h"
#include "test_support.h"

namespace torsor {
namespace {

Json measured(double value, double half_width) {
  return {{"value", value}, {"interval", {value - half_width, value + half_width}}};
}

Json direction(double kid, double of_inputs) {
  return {{"kid", measured(kid, 0.01)},
          {"kid_of_inputs", measured(of_inputs, 0.01)},
          {"domains_coincide", false},
          {"copy", measured(0.3, 0.02)},
          {"cycle", measured(0.1, 0.02)}};
}

Json solutions(std::size_t runs, double kid = 0.05) {
  Json out = Json::array();
  for (std::size_t i = 0; i < runs; ++i)
    out.push_back({{"name", "run" + std::to_string(i)},
                   {"directions", {{"a_to_b", direction(kid, 0.2)}, {"b_to_a", direction(kid, 0.2)}}}});
  return {{"runs", out}};
}

// Excess of every ordered pair; `apart` of those with run `other`.
Json seeds(std::size_t runs, double excess, double apart, std::size_t other) {
  Json pairs = Json::array(), names = Json::array();
  for (std::size_t j = 0; j < runs; ++j) {
    names.push_back("run" + std::to_string(j));
    for (std::size_t i = 0; i < runs; ++i)
      if (i != j) {
        const double e = i == other || j == other ? apart : excess;
        pairs.push_back({{"i", i},
                         {"j", j},
                         {"direction", "a_to_b"},
                         {"excess", measured(e, 0.01)},
                         {"worst_patch_excess", measured(e, 0.01)}});
      }
  }
  return {{"runs", runs}, {"names", names}, {"pairs", pairs}, {"figures", Json::array()}};
}

const AuditThresholds kLines;

TEST(Solution, NeedsToBeNearerToTheTargetThanItsInputs) {
  EXPECT_EQ(no_solution(direction(0.05, 0.2), kLines), "");
  EXPECT_THAT(no_solution(direction(0.19, 0.2), kLines), ::testing::HasSubstr("a solution has at most"));
  Json wide = direction(0.1, 0.2);
  wide["kid"] = measured(0.1, 0.15);
  EXPECT_THAT(no_solution(wide, kLines), ::testing::HasSubstr("not clearly below"));
  Json few = direction(0.05, 0.2);
  few["kid"] = {{"value", 0.05}, {"interval", nullptr}, {"no_interval", "3 groups"}};
  EXPECT_THAT(no_solution(few, kLines), ::testing::HasSubstr("3 groups"));
}

// What the verdict asks for where KID is this, that of the inputs is 0.2, and there are 100 images.
std::vector<std::string> needed_at(const Json& kid) {
  Json found = solutions(1);
  Json& of = found["runs"][0]["directions"]["a_to_b"];
  of["kid"] = kid;
  of["images"] = 100;
  return judge_audit({{"solution", found}}, kLines).needed;
}

TEST(Solution, AsksForNoMoreImagesThanCouldHelp) {
  using ::testing::ElementsAre;
  EXPECT_THAT(needed_at(measured(0.15, 0.06)), ElementsAre(::testing::HasSubstr("about 173 held-out images")))
      << "1.2 * 100 (0.06 / 0.05)^2";
  EXPECT_THAT(needed_at(measured(0.15, 0.6)),
              ElementsAre(::testing::AllOf(::testing::HasSubstr("more images will hardly settle"),
                                           ::testing::HasSubstr("their KID, 0.15, lies so near 0.2"),
                                           ::testing::Not(::testing::HasSubstr("about")))))
      << "17,280 images";
}

TEST(Solution, IsNoCopyAndClosesItsCycleAsDelivered) {
  Json copy = direction(0.05, 0.2);
  copy["copy"] = measured(0.01, 0.001);
  EXPECT_THAT(no_solution(copy, kLines), ::testing::HasSubstr("copies"));
  copy["domains_coincide"] = true;  // then a copy may be right, and blurred images are the reference
  copy["kid_of_blurred"] = measured(0.2, 0.01);
  EXPECT_EQ(no_solution(copy, kLines), "");
  Json open = direction(0.05, 0.2);
  open["cycle"] = measured(0.8, 0.02);
  EXPECT_THAT(no_solution(open, kLines), ::testing::HasSubstr("closed cycle"));
  open["cycle"] = nullptr;  // a model of one direction has none
  EXPECT_EQ(no_solution(open, kLines), "");
}

TEST(RunClasses, RunsThatDifferAreSolutionsOfTheirOwn) {
  const Json parts = {{"solution", solutions(3)}, {"seeds", seeds(3, 0.01, 0.5, 1)}};
  const RunClasses c = run_classes(parts, kLines);
  EXPECT_TRUE(c.differ);
  EXPECT_EQ(c.count, 2U);
  EXPECT_EQ(c.classes, (std::vector<std::vector<std::size_t>>{{0, 2}, {1}}));
  EXPECT_GT(parts.at("seeds").at("pairs").at(c.worst_pair).at("excess").at("value"), 0.4);
}

TEST(RunClasses, ARunThatIsNoSolutionCountsForNothing) {
  Json parts = {{"solution", solutions(3)}, {"seeds", seeds(3, 0.01, 0.5, 1)}};
  parts["solution"]["runs"][1]["directions"]["b_to_a"] = direction(0.3, 0.2);
  const RunClasses c = run_classes(parts, kLines);
  EXPECT_FALSE(c.differ);
  EXPECT_EQ(c.solutions, (std::vector<std::size_t>{0, 2}));
}

TEST(RunClasses, ChangedClassesOfImagesAreADifferenceToo) {
  Json parts = {{"solution", solutions(2)}, {"seeds", seeds(2, 0.01, 0.01, 9)}};
  for (Json& pair : parts["seeds"]["pairs"])
    pair["classes"] = {{"kept", 0.3}, {"kept_interval", {0.2, 0.4}}, {"kept_by_own", 0.95}};
  EXPECT_TRUE(run_classes(parts, kLines).differ);
  for (Json& pair : parts["seeds"]["pairs"]) pair["classes"]["kept_interval"] = {0.2, 0.9};
  EXPECT_FALSE(run_classes(parts, kLines).differ);
  EXPECT_TRUE(run_classes(parts, kLines).undecided);
}

TEST(Verdict, CannotTellComesBeforeEverything) {
  const Json parts = {{"solution", solutions(2, 0.3)}, {"seeds", seeds(2, 0.5, 0.5, 9)}};
  const AuditJudgement j = judge_audit(parts, kLines);
  EXPECT_EQ(j.verdict, AuditVerdict::cannot_tell);
  EXPECT_THAT(j.because, ::testing::HasSubstr("no solution"));
  EXPECT_FALSE(j.needed.empty());
}

TEST(Verdict, RunsThatDifferAreRed) {
  const Json parts = {{"solution", solutions(2)}, {"seeds", seeds(2, 0.5, 0.5, 9)}};
  const AuditJudgement j = judge_audit(parts, kLines);
  EXPECT_EQ(j.verdict, AuditVerdict::red);
  EXPECT_THAT(j.because, ::testing::HasSubstr("2 different answers"));
}

TEST(Verdict, AgreementIsAmberAndSaysWhatItLeavesOpen) {
  const Json parts = {{"solution", solutions(3)}, {"seeds", seeds(3, 0.01, 0.01, 9)}};
  const AuditJudgement j = judge_audit(parts, kLines);
  EXPECT_EQ(j.verdict, AuditVerdict::amber);
  EXPECT_THAT(j.needed.front(), ::testing::HasSubstr("--pairs-a"));
  bool said = false;
  for (const AuditFinding& f : j.findings) said = said || f.text.find("78 %") != std::string::npos;
  EXPECT_TRUE(said) << "1 - root of 0.05: the first run names the class";
}

TEST(Verdict, NothingFromUnpairedImagesIsGreen) {
  for (const double kid : {0.0, 0.05})
    for (const double excess : {-0.2, 0.0, 0.01}) {
      const Json parts = {{"solution", solutions(5, kid)}, {"seeds", seeds(5, excess, excess, 9)}};
      EXPECT_EQ(judge_audit(parts, kLines).verdict, AuditVerdict::amber);
    }
}

TEST(Verdict, NamesAreReadBack) {
  for (const auto v :
       {AuditVerdict::green, AuditVerdict::amber, AuditVerdict::red, AuditVerdict::cannot_tell})
    EXPECT_EQ(audit_verdict_named(verdict_name(v)), v);
  EXPECT_THAT(testing::error_of([] { audit_verdict_named("blue"); }), ::testing::HasSubstr("blue"));
}

}  // namespace
}  // namespace torsor
