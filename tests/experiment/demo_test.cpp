#include "experiment/demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "experiment/demo_page.h"
#include "train/cyclegan_config.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Image picture() { return render_scene("circles-squares", Domain::a, SceneTruth{}, 64); }

DirectionResult direction(const std::string& name, double pass, std::optional<double> hue = {},
                          std::optional<double> cycle_hue = {}) {
  DirectionResult d;
  d.direction = name;
  d.score.count = 100;
  d.score.pass = d.score.shape = d.score.position = d.score.background = pass;
  d.score.hue_error = hue;
  d.cycle_hue_error = cycle_hue;
  d.examples = {{picture(), picture(), picture()}};
  return d;
}

LessonResult result(HueClaim claim, DirectionResult there, DirectionResult back) {
  LessonResult r;
  r.lesson = demo_lessons().front();
  r.lesson.hue = claim;
  r.steps = 10;
  r.directions = {std::move(there), std::move(back)};
  return r;
}

TEST(DemoResult, BothDirectionsMustBeRight) {
  EXPECT_TRUE(result(HueClaim::none, direction("a_to_b", 0.9), direction("b_to_a", 1)).passed());
  EXPECT_FALSE(result(HueClaim::none, direction("a_to_b", 0.89), direction("b_to_a", 1)).passed());
  EXPECT_FALSE(result(HueClaim::none, direction("a_to_b", 1), direction("b_to_a", 0.5)).passed());
}

TEST(DemoResult, PermutedMeansOtherHuesThatComeBack) {
  const auto passes = [](double hue, double cycle) {
    return result(HueClaim::permuted, direction("a_to_b", 1, hue, cycle), direction("b_to_a", 1, hue, cycle))
        .passed();
  };
  EXPECT_TRUE(passes(90, 5));
  EXPECT_FALSE(passes(90, 90)) << "the cycle does not bring them back";
  EXPECT_TRUE(passes(kMaxKeptHue + 1, 5));
  EXPECT_FALSE(passes(kMaxKeptHue, 5)) << "they stayed";
}

TEST(DemoResult, KeptMeansTheSameHues) {
  const auto passes = [](double hue, double cycle) {
    return result(HueClaim::kept, direction("a_to_b", 1, hue, cycle), direction("b_to_a", 1, 1, 1)).passed();
  };
  EXPECT_TRUE(passes(kMaxKeptHue, 5));
  EXPECT_FALSE(passes(kMaxKeptHue + 1, 5));
  EXPECT_FALSE(passes(5, 90));
}

TEST(DemoResult, WithoutAnObjectThereIsNoHueToKeep) {
  EXPECT_FALSE(result(HueClaim::kept, direction("a_to_b", 1), direction("b_to_a", 1)).passed());
}

TEST(DemoResult, StoppedIsNotPassed) {
  LessonResult r = result(HueClaim::none, direction("a_to_b", 1), direction("b_to_a", 1));
  r.stopped = true;
  EXPECT_FALSE(r.passed());
  EXPECT_THAT(describe(r), HasSubstr("stopped after step 10"));
}

TEST(DemoResult, TheLineNamesTheOutcome) {
  EXPECT_THAT(describe(result(HueClaim::none, direction("a_to_b", 0.97), direction("b_to_a", 1))),
              ::testing::AllOf(HasSubstr("a_to_b 97 % right"), HasSubstr("passed"), Not(HasSubstr("hue"))));
  EXPECT_THAT(describe(result(HueClaim::kept, direction("a_to_b", 1, 70, 8), direction("b_to_a", 1, 70, 8))),
              ::testing::AllOf(HasSubstr("hue error 70°, after the cycle 8°"), HasSubstr("FAILED")));
}

TEST(DemoLessons, AreValidTrainings) {
  for (const Lesson& lesson : demo_lessons()) {
    TrainConfig config = config_from_json(lesson_options(lesson, {}), lesson.name);
    config.run.out = "somewhere";
    EXPECT_NO_THROW(config.validate()) << lesson.name;
    EXPECT_EQ(config.data.transform.load_size, config.data.transform.crop_size) << lesson.name;
    if (lesson.hue == HueClaim::none) continue;
    EXPECT_EQ(cyclegan(config).cyclegan.lambda_identity.value_or(0) > 0, lesson.hue == HueClaim::kept)
        << lesson.name;
  }
}

TEST(DemoOptions, RefusesAnUnknownLessonAndAMissingFolder) {
  EXPECT_THROW(options_from_json<DemoOptions>({{"out", "x"}, {"lesson", "y"}}, "test"), UsageError);
  EXPECT_THROW(DemoOptions{}.validate(), UsageError);
}

}  // namespace
}  // namespace torsor
