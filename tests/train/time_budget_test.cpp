// Fitting a run to a time, by the cost of steps on a machine that is made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/budget.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Seconds of a step on a machine that computes 1e8 of these a second; a scaled trial is a third off.
StepCost pretended_cost(const TrainConfig& c, Trial trial) {
  const auto square = [](std::int64_t n) { return static_cast<double>(n * n); };
  const double blocks = cyclegan(c).nets.generator.net_g == "resnet_9blocks"   ? 13
                        : cyclegan(c).nets.generator.net_g == "resnet_6blocks" ? 10
                                                                               : 7;
  const std::int64_t batches = cyclegan(c).gan.gan_mode == "wgangp" ? 5 : 1;
  StepCost cost;
  cost.seconds = square(c.data.transform.crop_size) * square(cyclegan(c).nets.generator.ngf) * blocks / 1e8 *
                 static_cast<double>(c.data.batch_size * batches) * (trial == Trial::scaled ? 1.3 : 1.0);
  cost.batches = batches;
  return cost;
}

TrainConfig budget_config() {
  TrainConfig config;
  config.data.data = "folder";
  config.run.out = "run";
  return config;
}

/// The steps that a session would do, counted by walking through every epoch's batches.
std::int64_t steps_of_run(const TrainConfig& c, std::int64_t dataset_size, std::int64_t batches_per_step) {
  const std::int64_t items = c.data.epoch_size > 0 ? c.data.epoch_size : dataset_size;
  std::int64_t batches = 0;
  for (std::int64_t item = 0; item < items; item += c.data.batch_size) ++batches;
  return std::max<std::int64_t>(1, batches / batches_per_step) * c.schedule.total();
}

TEST(TimeBudget, HoldsTheRunWithItsDecayForEverySetting) {
  for (const double seconds : {600.0, 3600.0, 86400.0, 1e6})
    for (const std::int64_t dataset_size : {7, 1000, 100000})
      for (const std::int64_t batch : {1, 4})
        for (const std::string mode : {"lsgan", "wgangp"}) {
          SCOPED_TRACE(fmt::format("{} s, {} items, batch {}, {}", seconds, dataset_size, batch, mode));
          TrainConfig config = budget_config();
          config.data.batch_size = batch;
          cyclegan(config).gan.gan_mode = mode;
          const std::string line = fit_to_budget(config, seconds, dataset_size, {}, pretended_cost);
          const StepCost cost = pretended_cost(config, Trial::full);
          const std::int64_t steps = steps_of_run(config, dataset_size, cost.batches);
          const double takes = static_cast<double>(steps) * cost.seconds;
          EXPECT_LE(takes, seconds);
          EXPECT_GE(takes, 0.7 * seconds) << "most of the time is used";
          EXPECT_GE(config.schedule.epochs, 1);
          EXPECT_GE(config.schedule.epochs_decay, 1);
          EXPECT_LE(std::abs(config.schedule.epochs - config.schedule.epochs_decay), 1);
          EXPECT_NO_THROW(config.validate());
          EXPECT_THAT(line, AllOf(HasSubstr(fmt::format("{} steps", steps)),
                                  HasSubstr(cyclegan(config).nets.generator.net_g)));
        }
}

TEST(TimeBudget, MoreTimeNeverGivesLess) {
  double before = 0;
  std::set<std::int64_t> sizes;
  for (double seconds = 60; seconds < 1e7; seconds *= 1.5) {
    TrainConfig config = budget_config();
    fit_to_budget(config, seconds, 1000, {}, pretended_cost);
    const double now = pretended_cost(config, Trial::full).seconds;
    EXPECT_GE(now, before) << seconds;
    before = now;
    sizes.insert(config.data.transform.crop_size);
  }
  EXPECT_THAT(sizes, ::testing::IsSupersetOf({64, 256}));
}

TEST(TimeBudget, TooShortIsAnErrorThatChangesNothing) {
  TrainConfig config = budget_config();
  const Json before = options_to_json(config);
  EXPECT_THAT(error_of<UsageError>([&] { fit_to_budget(config, 0.1, 1000, {}, pretended_cost); }),
              AllOf(HasSubstr("--time-budget"), HasSubstr("smallest"), HasSubstr("more time")));
  EXPECT_EQ(options_to_json(config), before);
}

TEST(TimeBudget, SaysWhenItIsLittle) {
  TrainConfig config = budget_config();
  EXPECT_THAT(fit_to_budget(config, 60, 1000, {}, pretended_cost), HasSubstr("first impression"));
  EXPECT_THAT(fit_to_budget(config, 1e6, 1000, {}, pretended_cost),
              ::testing::Not(HasSubstr("first impression")));
}

/// The run takes most of the budget, and no more.
void expect_used(const TrainConfig& config, std::int64_t images, double budget) {
  const double takes =
      pretended_cost(config, Trial::full).seconds * static_cast<double>(steps_of_run(config, images, 1));
  EXPECT_LE(takes, budget);
  EXPECT_GE(takes, 0.7 * budget);
}

TEST(TimeBudget, LeavesWhatTheUserGave) {
  TrainConfig config = budget_config();
  config.data.transform.crop_size = 96;
  cyclegan(config).nets.generator.ngf = 24;
  config.schedule.epochs = 3;
  config.data.epoch_size = 50;
  fit_to_budget(config, 3600, 1000, {"crop_size", "ngf", "epochs", "epoch_size"}, pretended_cost);
  EXPECT_EQ(config.data.transform.crop_size, 96);
  EXPECT_EQ(cyclegan(config).nets.generator.ngf, 24);
  EXPECT_EQ(config.schedule.epochs, 3);
  EXPECT_EQ(config.data.epoch_size, 50);
  expect_used(config, 1000, 3600);
}

TEST(TimeBudget, ShortensTheEpochsThatTheUserGave) {
  TrainConfig config = budget_config();
  config.schedule.epochs = 20;
  config.schedule.epochs_decay = 30;
  fit_to_budget(config, 3600, 100000, {"epochs", "epochs_decay"}, pretended_cost);
  EXPECT_EQ(config.schedule.epochs, 20);
  EXPECT_EQ(config.schedule.epochs_decay, 30);
  expect_used(config, 100000, 3600);
}

TEST(TimeBudget, RefusesEpochsThatDoNotFit) {
  TrainConfig config = budget_config();
  config.data.epoch_size = 5000;
  config.schedule.epochs = 1000;
  EXPECT_THAT(error_of<UsageError>([&] {
                fit_to_budget(config, 600, 1000, {"epochs", "epoch_size"}, pretended_cost);
              }),
              AllOf(HasSubstr("--time-budget"), HasSubstr("--epochs"), HasSubstr("1000")));
}

TEST(TimeBudget, SkipsSizesThatAFixedNetworkCannotTake) {
  TrainConfig config = budget_config();
  cyclegan(config).nets.generator.net_g = "unet_256";  // 256 alone; the time asks for less
  fit_to_budget(config, 600, 1000, {"net_g"}, pretended_cost);
  EXPECT_EQ(config.data.transform.crop_size, 256);
  EXPECT_EQ(cyclegan(config).nets.generator.net_g, "unet_256");
  EXPECT_EQ(cyclegan(config).nets.generator.ngf, 32);

  config = budget_config();
  config.data.transform.load_size = 40;
  EXPECT_THAT(error_of<UsageError>([&] { fit_to_budget(config, 600, 1000, {"load_size"}, pretended_cost); }),
              HasSubstr("--load-size"));
}

}  // namespace
}  // namespace torsor::testing
