#include "experiment/demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
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

ScalarSeries series(const std::string& name, double early, double late) {
  ScalarSeries s{name, {}, {}};
  for (int step = 10; step <= 1000; step += 10) {
    s.steps.push_back(step);
    s.values.push_back(step < 900 ? early : late);
  }
  return s;
}

/// A run whose losses change at the beginning of the last tenth.
RunRecord logged() {
  RunRecord run{
      RunDirectory("run"), "run", {{"lambda_cycle_a", 5.0}, {"lambda_cycle_b", 10.0}}, {}, {}, {}, {}, {}};
  run.log.scalars = {series("cycle_a", 5, 0.2),  series("cycle_b", 9, 0.8), series("g_a_to_b", 9, 0.5),
                     series("g_b_to_a", 9, 0.3), series("d_a", 9, 0.25),    series("d_b", 9, 0.15)};
  return run;
}

TEST(LessonLosses, AreMeansOfBothDirectionsOverTheLastTenth) {
  const LessonLosses losses = lesson_losses(logged());
  EXPECT_NEAR(losses.cycle, (0.2 / 5 + 0.8 / 10) / 2 / 2, 1e-12) << "without weights, of a range of 2";
  EXPECT_NEAR(losses.generators, 0.4, 1e-12);
  EXPECT_NEAR(losses.discriminators, 0.2, 1e-12);
  ASSERT_EQ(losses.cycle_by_step.size(), 100u);
  EXPECT_NEAR(losses.cycle_by_step.values.front(), (5.0 / 5 + 9.0 / 10) / 2 / 2, 1e-12);
}

TEST(LessonLosses, NameTheOneThatIsMissing) {
  RunRecord run = logged();
  std::erase_if(run.log.scalars, [](const ScalarSeries& s) { return s.name == "d_b"; });
  try {
    lesson_losses(run);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds no d_b"));
  }
}

/// The page of lesson 2: without the identity loss the hues are wrong, with it correct.
std::string page_of_both() {
  LessonResult without =
      result(HueClaim::permuted, direction("a_to_b", 1, 70, 5), direction("b_to_a", 1, 71, 6));
  LessonResult with = result(HueClaim::kept, direction("a_to_b", 1, 3, 4), direction("b_to_a", 1, 3, 4));
  without.losses = {0.016, 0.31, 0.22, series("cycle_a", 0.1, 0.016)};
  with.losses = {0.014, 0.33, 0.23, series("cycle_a", 0.1, 0.014)};
  DemoOptions options;
  options.out = (std::filesystem::path(::testing::TempDir()) / "torsor_demo_page").string();
  const std::string page = read_file(write_demo({without, with}, options).front());
  std::filesystem::remove_all(options.out);
  return page;
}

TEST(DemoPage, ShowsTheLossesOfBothTrainings) {
  const std::string page = page_of_both();
  EXPECT_THAT(page, HasSubstr("<tr><th></th><th class=\"number\">without identity loss</th>"
                              "<th class=\"number\">with identity loss</th></tr>"));
  for (const char* row :
       {"<tr><td>cycle loss</td><td class=\"number\">1.6 %</td><td class=\"number\">1.4 %</td></tr>",
        "<tr><td>generator loss</td><td class=\"number\">0.31</td><td class=\"number\">0.33</td></tr>",
        "<tr><td>discriminator loss</td><td class=\"number\">0.22</td><td class=\"number\">0.23</td></tr>"})
    EXPECT_THAT(page, HasSubstr(row));
  EXPECT_THAT(page, HasSubstr("reconstructions differ from their inputs by 1.6 % of the range"));
  EXPECT_THAT(page, HasSubstr("class=\"chart\""));
}

TEST(DemoPage, LabelsItsImagesAndComparesTheTrainings) {
  const std::string page = page_of_both();
  for (const char* label :
       {"<p>input</p>", "<p>translation</p>", "<p>translated back</p>",
        "<figcaption>without identity loss</figcaption>", "<figcaption>with identity loss</figcaption>"})
    EXPECT_THAT(page, HasSubstr(label));
  EXPECT_THAT(
      page,
      HasSubstr("<tr><td>hue error</td><td class=\"number\">71°</td><td class=\"number\">3°</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<div class=\"command\"><pre>torsor train "));
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
