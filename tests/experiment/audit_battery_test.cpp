// The quick part of the battery: audits of planted translators in seconds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "experiment/battery.h"
#include "experiment/experiments.h"
#include "test_support.h"

namespace torsor {
namespace {

const BatterySize kQuick{.images = 60, .training = 0, .pairs = 40};

const BatteryTask& task_named(const std::string& name) {
  const auto& tasks = battery_tasks();
  return *std::find_if(tasks.begin(), tasks.end(), [&](const BatteryTask& t) { return t.name == name; });
}

Json audited(const std::string& task, const std::array<std::size_t, 3>& runs,
             const testing::TestFolder& out) {
  FeatureOptions features;
  features.features = "pixels";
  const StopFlag stop;
  return audit_planted(task_named(task), runs, kQuick, make_extractor(features, c10::kCPU), out.path,
                       std::make_shared<NullLog>(), stop);
}

TEST(AuditBattery, HasTwentyTasksWhoseWrongRunsAreWrong) {
  EXPECT_GE(battery_tasks().size(), 20U);
  Rng rng(1);
  for (const BatteryTask& task : battery_tasks()) {
    ASSERT_EQ(task.learnt.size(), kBatteryRuns) << task.name;
    const at::Tensor x = task.draw_a(16, rng).to(at::kFloat);
    EXPECT_EQ(x.size(1), task.channels) << task.name;
    // The planted pair is a pair: the right one closes its cycle, and the others but for what they forget.
    EXPECT_LT((task.truth_inverse(task.truth(x)) - x).abs().max().item<double>(), 1e-4) << task.name;
    for (std::size_t k = 0; k < task.solutions.size(); ++k) {
      const at::Tensor moved = task.solutions[k].map(x);
      const double far = (moved - x).abs().mean().item<double>();
      if (k == 0) {
        EXPECT_EQ(far, 0) << task.name;
      } else {
        EXPECT_GT((moved - x).abs().amax().item<double>(), 0.1) << task.name;
      }
      if (task.solutions[k].name != "spots removed")
        EXPECT_LT((task.solutions[k].inverse(moved) - x).abs().mean().item<double>(), 0.02) << task.name;
    }
  }
}

TEST(AuditBattery, AnAutomorphismKeepsWhatIsMeasuredOfTheDistribution) {
  Rng rng(1), other(2);
  for (const BatteryTask& task : battery_tasks()) {
    if (!task.by_automorphism) continue;
    const at::Tensor x = task.draw_a(600, rng).to(at::kFloat), y = task.draw_a(600, other).to(at::kFloat);
    for (const PlantedSolution& phi : task.solutions) {
      const at::Tensor error = (phi.map(x).mean(0) - y.mean(0)).abs();
      EXPECT_LT(error.mean().item<double>(), 0.12) << task.name << ": " << phi.name;
    }
  }
}

class QuickBattery : public ::testing::TestWithParam<std::pair<const char*, std::array<std::size_t, 3>>> {};

TEST_P(QuickBattery, IsNotMistaken) {
  const testing::TestFolder out;
  const auto& [task, runs] = GetParam();
  const Json row = audited(task, runs, out);
  EXPECT_EQ(battery_error(row), "") << row.dump(2);
}

using Case = std::pair<const char*, std::array<std::size_t, 3>>;
INSTANTIATE_TEST_SUITE_P(Tasks, QuickBattery,
                         ::testing::Values(Case{"hue-uniform-right", {0, 1, 2}},
                                           Case{"hue-uniform-wrong", {0, 1, 2}},
                                           Case{"hue-uniform-split", {0, 1, 3}}, Case{"copies", {0, 1, 2}},
                                           Case{"hidden-code", {0, 1, 2}}, Case{"phantom-spots", {0, 1, 2}},
                                           Case{"phantom-flip", {0, 1, 2}},
                                           Case{"shapes-exchanged", {0, 3, 4}},
                                           Case{"plane-wrong", {0, 1, 2}}, Case{"shapes-partly", {0, 1, 2}}),
                         [](const auto& test) {
                           std::string name = test.param.first;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(AuditBattery, ErrorsAreNamed) {
  const Json right = {{"subject_right", true},
                      {"by_automorphism", true},
                      {"planted", "right"},
                      {"without_pairs", "amber"},
                      {"with_pairs", "green"}};
  EXPECT_EQ(battery_error(right), "");
  const auto with = [&](Json row, const char* key, Json value) {
    row[key] = std::move(value);
    return battery_error(row);
  };
  EXPECT_EQ(with(right, "with_pairs", "red"), "red over a right run");
  EXPECT_EQ(with(right, "with_pairs", "amber"), "not green with pairs over a right run");
  EXPECT_EQ(with(right, "without_pairs", "green"), "green without pairs");
  Json wrong = right;
  wrong["subject_right"] = false;
  wrong["planted"] = "wrong";
  EXPECT_EQ(battery_error(wrong), "green over a wrong run");
  EXPECT_EQ(with(wrong, "with_pairs", "amber"), "not red with pairs over a wrong run");
  wrong["by_automorphism"] = false;
  EXPECT_EQ(with(wrong, "with_pairs", "amber"), "");
  EXPECT_EQ(battery_error(wrong), "green over a wrong run");
}

}  // namespace
}  // namespace torsor
