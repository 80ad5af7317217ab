#include "audit/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "core/text.h"
#include "planted_audit.h"
#include "train/config.h"

namespace torsor {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::planted_audit;
using testing::planted_finding;

Json training_options() {
  Json training = options_to_json(TrainConfig{});
  training["a"] = "photos/a";
  training["b"] = "photos/b";
  training["ngf"] = 32;
  training["seed"] = 7;
  training["out"] = "runs/scans";
  return training;
}

Json audit_with(const std::string& verdict, const std::vector<Json>& findings) {
  Json audit = planted_audit(verdict);
  audit["training"] = training_options();
  for (const Json& finding : findings) audit["findings"].push_back(finding);
  return audit;
}

std::vector<std::string> titles_of(const std::vector<AuditCure>& cures) {
  std::vector<std::string> out;
  for (const AuditCure& cure : cures) out.push_back(cure.title);
  return out;
}

Json advice_named(const Json& advice, const std::string& title) {
  for (const Json& cure : advice)
    if (cure.at("title") == title) return cure;
  return {{"command", "no such advice"}};
}

TEST(Advice, FitsWhatSaysThatAnotherAnswerFits) {
  const auto fits = [&](const std::string& id, const std::string& role, const std::string& verdict) {
    return !fitting_cures(audit_with(verdict, {planted_finding(id, role, verdict)})).empty();
  };
  EXPECT_TRUE(fits("seeds", "lowers", "red"));
  EXPECT_TRUE(fits("null-task", "lowers", "red"));
  EXPECT_TRUE(fits("symmetry-hflip-a", "lowers", "amber"));
  EXPECT_TRUE(fits("search-a", "lowers", "amber"));
  EXPECT_TRUE(fits("prevalence-a_to_b", "lowers", "amber"));
  EXPECT_TRUE(fits("spots-bright-a_to_b", "lowers", "amber"));
  EXPECT_TRUE(fits("pairs", "evidence", "red"));
  EXPECT_FALSE(fits("symmetry-hflip-a", "lowers", "cannot_tell")) << "nobody knows whether it is one";
  EXPECT_FALSE(fits("symmetry-hflip-a", "note", "amber"));
  EXPECT_FALSE(fits("pairs", "evidence", "amber")) << "too few pairs call for more pairs";
  EXPECT_FALSE(fits("solution-a", "gate", "green"));
  Json with_rival = planted_audit("amber");
  with_rival["rivals"] = {{{"id", "x"}, {"name", "hflip"}, {"automorphism", "shown"}}};
  EXPECT_FALSE(fitting_cures(with_rival).empty());
  with_rival["rivals"][0]["automorphism"] = "undecided";
  EXPECT_TRUE(fitting_cures(with_rival).empty());
}

TEST(Advice, BeginsWithAnchorsAndHasLabelsWhereThereAreSome) {
  Json audit = audit_with("red", {planted_finding("seeds", "lowers", "red")});
  EXPECT_THAT(titles_of(fitting_cures(audit)),
              ElementsAre("Anchor pairs", "A content encoder", "A sparse Jacobian", "The identity loss"));
  audit["images"]["labels"] = {{"source", "a table"}};
  EXPECT_EQ(fitting_cures(audit).at(1).title, "Classes for the discriminators");
}

TEST(Advice, LeavesOutWhatTheTrainingHadAndWhatCannotBe) {
  Json audit = audit_with("red", {planted_finding("seeds", "lowers", "red")});
  audit["training"]["alpha_id"] = 2.0;
  audit["training"]["anchors_a"] = "pairs/a";
  EXPECT_THAT(titles_of(fitting_cures(audit)), ElementsAre("A content encoder", "A sparse Jacobian"));
  audit["training"] = training_options();
  audit["training"]["channels_b"] = 1;
  EXPECT_THAT(titles_of(fitting_cures(audit)), Not(Contains("The identity loss")));
}

TEST(Advice, TrainsAsTheRunDidWithTheCureAdded) {
  Json audit = audit_with("red", {planted_finding("seeds", "lowers", "red")});
  audit["training"]["lambda_identity"] = 0.5;
  const Json advice = advice_for(audit);
  EXPECT_EQ(
      advice_named(advice, "The identity loss").at("command"),
      "torsor train --a photos/a --b photos/b --ngf 32 --alpha-id 5.0 --seed 7 --out runs/scans-identity");
  EXPECT_THAT(advice_named(advice, "The identity loss").at("text").get<std::string>(),
              HasSubstr("differ in their seed alone"));
}

// Cures that other versions have are no advice of this one.
TEST(Advice, CommandsHaveOnlyOptionsOfThisTorsor) {
  Json audit = audit_with("red", {planted_finding("seeds", "lowers", "red")});
  audit["images"]["labels"] = {{"source", "a table"}};
  const Json known = options_to_json(TrainConfig{});
  std::size_t commands = 0;
  for (const Json& cure : advice_for(audit)) {
    std::istringstream words(cure.at("command").get<std::string>());
    for (std::string line; std::getline(words, line);) {
      if (line.rfind("torsor train ", 0) != 0) continue;
      std::istringstream line_words(line);
      for (std::string word; line_words >> word;)
        if (word.rfind("--", 0) == 0 && word != "--seeds") {
          EXPECT_TRUE(known.contains(snake_case(word.substr(2)))) << word;
        }
      ++commands;
    }
  }
  EXPECT_GE(commands, 2u);
  for (const AuditCure& cure : fitting_cures(audit)) {
    const bool exists = known.contains(cure.settings.begin().key());
    EXPECT_EQ(advice_named(advice_for(audit), cure.title).contains("text"), exists) << cure.title;
  }
}

TEST(Advice, OfARunAloneAsksForOtherSeeds) {
  Json audit = audit_with("amber", {});
  const std::string command = advice_named(advice_for(audit), "Runs of other seeds").at("command");
  EXPECT_EQ(command,
            "torsor train --a photos/a --b photos/b --ngf 32 --out runs/scans-seeds --seeds 0-4\n"
            "torsor audit runs/scans-seeds/seed-* --a photos/a --b photos/b --out runs/scans-seeds-audit");
  const Json run = audit["runs"][0];
  audit["runs"] = {run, run};
  EXPECT_EQ(advice_named(advice_for(audit), "Runs of other seeds").at("command"), "no such advice");
}

TEST(Advice, SaysHowManyPairsAreNeeded) {
  Json audit = audit_with("amber", {});
  audit["images"]["a"]["folder"] = "my photos/a";
  const Json advice = advice_named(advice_for(audit), "Pairs that no training has seen");
  EXPECT_THAT(advice.at("text").get<std::string>(), HasSubstr("At least 29 pairs"));
  EXPECT_EQ(
      advice.at("command"),
      "torsor audit runs/scans/model.safetensors --a 'my photos/a' --b photos/b --pairs-a DIR --pairs-b "
      "DIR --out audit-with-pairs");
  audit["images"]["pairs"] = {{"count", 10}};
  EXPECT_EQ(advice_named(advice_for(audit), "Pairs that no training has seen").at("command"),
            "no such advice");
}

// The most pairs that could all be right by chance in one of twenty audits.
TEST(Advice, CountsPairsByTheChanceThatAllAreRight) {
  for (const double share : {0.02, 0.1, 0.3}) {
    const auto n = static_cast<double>(pairs_for(share));
    EXPECT_LE(std::pow(1 - share, n), 0.05) << share;
    EXPECT_GT(std::pow(1 - share, n - 1), 0.05) << share;
  }
}

TEST(Advice, OfWhatIsNoSolutionIsToTrainOn) {
  Json audit = audit_with("cannot_tell", {planted_finding("solution-a", "gate", "cannot_tell")});
  const auto command = [&] {
    const Json advice = advice_for(audit);
    EXPECT_EQ(advice.size(), 1u);
    return advice.at(0).at("command").get<std::string>();
  };
  EXPECT_EQ(command(), "torsor train --resume runs/scans --epochs 200");
  audit["training"]["steps"] = 500;
  EXPECT_EQ(command(), "torsor train --resume runs/scans --epochs 200 --steps 1000");
  audit["runs"][0]["source"] = "runs/scans/checkpoints/step_00000500.safetensors";
  audit["runs"][0]["finished"] = false;
  EXPECT_EQ(command(), "torsor train --resume runs/scans");
  audit["runs"][0]["source"] = "weights/latest_net_G_A.pth";
  EXPECT_EQ(command(), "");
}

TEST(Advice, OfWeightsFromElsewhereHasNoTrainingCommand) {
  Json audit = audit_with("red", {planted_finding("seeds", "lowers", "red")});
  audit["training"] = Json::object();  // as ModelInfo has it
  const Json advice = advice_for(audit);
  EXPECT_EQ(advice_named(advice, "The identity loss").at("command"), "");
  EXPECT_THAT(advice_named(advice, "Pairs that no training has seen").at("command").get<std::string>(),
              HasSubstr("torsor audit"));
}

TEST(Advice, OfAGreenVerdictIsNone) { EXPECT_THAT(advice_for(audit_with("green", {})), IsEmpty()); }

}  // namespace
}  // namespace torsor
