#include "runs/run_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/config.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Json defaults() { return options_to_json(TrainConfig{}); }

TEST(RunSettings, AreThoseThatDifferFromTheDefault) {
  EXPECT_TRUE(changed_settings(defaults()).empty());
  Json config = defaults();
  config["lr"] = 0.5;
  config["skip_bad"] = true;
  config["of_tomorrow"] = "x";
  const auto changed = changed_settings(config);
  ASSERT_EQ(changed.size(), 3u);
  EXPECT_EQ(changed[0].name, "skip_bad");
  EXPECT_EQ(changed[1].name, "lr");
  EXPECT_EQ(changed[1].standard, Json(0.0002));
  EXPECT_FALSE(changed[2].is_known);
}

TEST(RunSettings, OfAModelThatIsNotTheDefaultNameIt) {
  const Json config = options_to_json(TrainConfig{ModelChoice("pix2pix")});
  const auto changed = changed_settings(config);
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].value, Json("pix2pix"));
  EXPECT_THAT(train_command(config, "again"), HasSubstr("--model pix2pix"));
}

TEST(RunSettings, OfAModelThatIsNotKnownAreAllShown) {
  const Json config = {{"model", "of_tomorrow"}, {"lr", 0.1}};
  EXPECT_EQ(changed_settings(config).size(), 2u);
  EXPECT_EQ(train_command(config, "again"), "torsor train --out again");
}

// What a preset or a time budget chose stands among the others; with it the command would choose again.
TEST(RunSettings, MakeACommandThatTrainsTheSame) {
  Json config = defaults();
  config["a"] = "my photos/horses";
  config["preset"] = "laptop";
  config["time_budget"] = "1h";
  config["ngf"] = 32;
  config["flip"] = false;
  config["skip_bad"] = true;
  config["out"] = "runs/one";
  EXPECT_EQ(train_command(config, "runs/it's one"),
            "torsor train --a 'my photos/horses' --no-flip --skip-bad --ngf 32 --out 'runs/it'\\''s one'");
}

TEST(RunSettings, AreComparedBetweenRuns) {
  Json one = defaults(), other = defaults();
  one["out"] = "one";
  other["out"] = "other";
  EXPECT_TRUE(differing_settings({one, other}).empty());
  other["lr"] = 0.1;
  other["of_tomorrow"] = 1;
  const auto differing = differing_settings({one, other});
  ASSERT_EQ(differing.size(), 2u);
  EXPECT_EQ(differing[0].values, (std::vector<Json>{0.0002, 0.1}));
  EXPECT_EQ(differing[1].values, (std::vector<Json>{nullptr, 1}));
  EXPECT_EQ(setting_text(nullptr), "-");
  EXPECT_EQ(setting_text(true), "on");
}

}  // namespace
}  // namespace torsor
