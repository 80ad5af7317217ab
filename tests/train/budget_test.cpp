// A schedule that is corrected on the way so that a run ends in time, and a run that is slower than expected.
#include "train/budget.h"

#include <algorithm>

#include "train/pace.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A run of `planned` on a machine where step n takes cost(n) seconds, and every tenth a checkpoint's
/// besides.
struct Course {
  Course(double budget, Length planned, std::int64_t epoch, std::function<double(std::int64_t)> cost) {
    TrainState state(0);
    state.total_steps = planned.steps;
    double now = 3;  // what came before the first step
    BudgetKeeper keeper(
        budget, budget_interval(budget), epoch, planned, [&] { return now; },
        [&](const Length& length) {
          lengths.push_back(length);
          state.total_steps = length.steps;
        });
    keeper.on_start(state);
    while (!state.finished()) {
      now += cost(state.step);
      ++state.step;
      state.epoch = state.step / epoch;
      keeper.after_step(state, StepScalars());
    }
    seconds = now;
    steps = state.step;
  }
  std::vector<Length> lengths;
  double seconds = 0;
  std::int64_t steps = 0;
};

TEST(BudgetKeeper, EndsInTimeWhateverAStepTakes) {
  const Length planned{10, 10, 2000};
  for (const double a_step : {0.1, 0.28, 0.5, 3.0}) {
    const Course run(600, planned, 100,
                     [&](std::int64_t step) { return a_step + (step % 50 == 0 ? 1.0 : 0.0); });
    EXPECT_LE(run.seconds, 600) << a_step;
    EXPECT_GE(run.seconds, 540) << a_step;
    EXPECT_EQ(run.lengths.back().steps, run.steps);
    EXPECT_NEAR(static_cast<double>(run.lengths.back().epochs),
                static_cast<double>(run.lengths.back().epochs_decay), 2)
        << "it is still half and half";
  }
}

TEST(BudgetKeeper, FollowsAMachineThatBecomesSlowAndQuickAgain) {
  const Course run(600, {10, 10, 2000}, 100,
                   [](std::int64_t step) { return step > 300 && step < 500 ? 1.0 : 0.25; });
  EXPECT_LE(run.seconds, 600);
  EXPECT_GE(run.seconds, 540);
  const auto shortest = std::min_element(run.lengths.begin(), run.lengths.end(),
                                         [](const Length& x, const Length& y) { return x.steps < y.steps; });
  ASSERT_NE(shortest, run.lengths.end());
  EXPECT_LT(shortest->steps, 2000);
  EXPECT_GT(run.lengths.back().steps, shortest->steps);
}

TEST(BudgetKeeper, LeavesWhatIsOverAsItIs) {
  TrainState state(0);
  state.step = 1250;  // in the third epoch of the decay
  const Length now{10, 10, 2000};
  EXPECT_EQ(corrected(now, state, 100, 250), (Length{10, 5, 1500}));
  EXPECT_EQ(corrected(now, state, 100, 1250), (Length{10, 15, 2500}));
  EXPECT_EQ(corrected(now, state, 100, 0), (Length{10, 3, 1250}));
  state.step = 700;  // all of these were at the full rate
  EXPECT_EQ(corrected(now, state, 100, 500), (Length{7, 5, 1200}));
  EXPECT_EQ(corrected(now, state, 100, 1300), now);
  EXPECT_EQ(corrected(now, state, 100, 3300), (Length{20, 20, 4000}));
}

TEST(TimeBudget, APresetIsTheMost) {
  TrainConfig config;
  config.data.data = "folder";
  config.run.out = "run";
  config.run.preset = "laptop";
  const StepMeter quick = [](const TrainConfig&, Trial) { return StepCost{0.001, 1e6, 1}; };
  fit_to_budget(config, 3600, 100, {}, quick);
  EXPECT_EQ(config.data.transform.crop_size, 128);
  EXPECT_EQ(cyclegan(config).nets.generator.ngf, 32);
  EXPECT_EQ(cyclegan(config).nets.generator.net_g, "resnet_6blocks");
  config.run.preset = "";
  fit_to_budget(config, 3600, 100, {}, quick);
  EXPECT_EQ(config.data.transform.crop_size, 256);
}

TEST(TimeBudget, ChoosesWhatFitsMemory) {
  TrainConfig config;
  config.data.data = "folder";
  config.run.out = "run";
  const StepMeter quick = [](const TrainConfig& c, Trial trial) {
    const double bytes =
        1e3 * static_cast<double>(c.data.transform.crop_size * cyclegan(c).nets.generator.ngf);
    EXPECT_TRUE(trial == Trial::scaled || bytes <= 5e6) << "is tried at its own size";
    return StepCost{0.001, bytes, 1};
  };
  fit_to_budget(config, 3600, 100, {}, quick, 6e6);
  EXPECT_EQ(config.data.transform.crop_size, 128);
  EXPECT_EQ(cyclegan(config).nets.generator.ngf, 32);
}

// By the clock, so that only what holds on any machine is asked for.
TEST(Session, ATimeBudgetIsRecordedAndResumed) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.schedule.epochs = config.schedule.epochs_decay = 100000;
  config.run.time_budget = "2s";
  EXPECT_EQ(train(config), EndReason::finished);
  const RunDirectory directory(config.run.out);
  const std::vector<Json> lengths = read_lines(directory.budget());
  ASSERT_THAT(lengths, SizeIs(::testing::Ge(1U)));
  const std::int64_t steps = read_lines(directory.log()).back().at("step");
  EXPECT_EQ(lengths.back().at("steps"), steps);
  const Json stored = read_json(directory.config());
  EXPECT_LT(stored.at("epochs"), 100000);
  // A length of whole epochs needs no number of steps beside it.
  EXPECT_THAT(stored.at("steps").get<std::int64_t>(), ::testing::AnyOf(0, steps));

  const auto log = std::make_shared<Lines>();
  ResumePoint point = open_resume_point(directory.root(), *log);
  ResumedConfig resumed = resumed_config(point, Json::object());
  EXPECT_TRUE(resumed.changes.empty()) << "the checkpoint has the corrected length too";
  TrainSession again(std::move(resumed), std::move(point), log);
  EXPECT_TRUE(again.state().finished());
}

TEST(BudgetKeeper, KnowsTheSecondsOfACheckpoint) {
  Archive archive;
  EXPECT_EQ(BudgetKeeper::used_before(archive), 0);
  archive.put("train/budget_used", Json(12.5));  // as it was written before observers had prefixes
  EXPECT_EQ(BudgetKeeper::used_before(archive), 12.5);
  BudgetKeeper keeper(
      60, 10, 100, {10, 10, 2000}, [] { return 20.0; }, [](const Length&) {});
  ArchiveWriter own(archive, observer_prefix(keeper.name()));
  keeper.save(own);
  EXPECT_EQ(BudgetKeeper::used_before(archive), 20);
  archive.put("observer/budget/used", Json("long"));
  EXPECT_THAT(error_of([&] { BudgetKeeper::used_before(archive); }), HasSubstr("observer/budget/used"));
}

TEST(Session, HeedsTheBudgetOfAnOlderCheckpoint) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.run.steps = 4;
  train(config);
  const RunDirectory directory(config.run.out);
  Archive archive = Archive::read(directory.checkpoint(4));
  archive.put("train/budget_used", Json(59.0));
  archive.write(directory.checkpoint(4), archive.metadata());
  const auto resume = [&](const Json& flags) {
    const auto log = std::make_shared<Lines>();
    ResumePoint point = open_resume_point(directory.root(), *log);
    ResumedConfig resumed = resumed_config(point, flags);
    TrainSession(std::move(resumed), std::move(point), log).run(StopFlag(), {});
    return log->lines;
  };
  EXPECT_THAT(resume({{"time_budget", "10min"}, {"steps", 5}}),
              ::testing::Not(::testing::Contains(HasSubstr("is used up"))));
  const Archive newer = Archive::read(directory.checkpoint(5));
  EXPECT_GT(newer.value("observer/budget/used"), 59);
  EXPECT_FALSE(newer.has_value("train/budget_used"));
  EXPECT_THAT(resume({{"time_budget", "58s"}}), ::testing::Contains(HasSubstr("is used up")));
}

TEST(Session, CheckpointsComeAtLeastEveryTenthOfABudget) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.schedule.epochs = config.schedule.epochs_decay = 100000;
  config.run.time_budget = "2s";
  config.run.checkpoint_every = "1000000";
  config.run.keep_last = 1000;
  train(config);
  EXPECT_GE(checkpoint_steps(RunDirectory(config.run.out)).size(), 2U);
}

/// What is said of a run whose steps take `seconds`, together with other processes when `busy`.
std::vector<std::string> said(double seconds, bool busy) {
  Loader loader(std::make_shared<CountingData>(100), {});
  const auto log = std::make_shared<Lines>();
  MachineUse use;
  PaceWatch watch(0.1, loader, log, [&] { return use; });
  TrainState state(0);
  watch.on_start(state);
  for (int step = 0; step < 400; ++step) {
    use.seconds += seconds;
    use.own += seconds;
    use.all += (busy ? 2 : 1) * seconds;
    watch.after_step(state, StepScalars());
  }
  return log->lines;
}

TEST(PaceWatch, WarnsOnceWithTheReason) {
  EXPECT_THAT(said(0.15, true), SizeIs(0));
  const std::vector<std::string> lines = said(0.4, true);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], AllOf(HasSubstr("warning: a step takes 0.4 s, 4.0 times the estimate of 0.1 s"),
                              HasSubstr("other processes use 1.0 of")));
  EXPECT_THAT(said(0.4, false).at(0), HasSubstr("nothing on this machine shows why"));
}

}  // namespace
}  // namespace torsor::testing
