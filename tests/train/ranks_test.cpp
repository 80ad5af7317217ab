// Two ranks of one training, as threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "dist/thread_ranks.h"
#include "nn/state_dict.h"
#include "train/fake_run.h"
#include "train/ranks.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kRanks = 2;
using Weights = std::vector<std::pair<std::string, at::Tensor>>;

// Four images an epoch: two steps of two images.
TrainConfig exact_config(const fs::path& out, std::int64_t batch_size) {
  TrainConfig config = tiny_config(out);
  config.run.placement.precision = "fp64";
  config.run.log_every = 1;
  config.data.batch_size = batch_size;
  cyclegan(config).cyclegan.pool_size = 0;
  return config;
}

Weights weights_of(Model& model) {
  Weights out;
  for (const auto& [name, network] : model.networks())
    for (const auto& [key, tensor] : state_dict(*network))
      out.emplace_back(name + " " + key, tensor.detach().clone());
  return out;
}

double distance_of(const at::Tensor& p, const at::Tensor& q) { return (p - q).abs().max().item<double>(); }

double furthest(const Weights& p, const Weights& q) {
  double out = 0;
  for (std::size_t i = 0; i < p.size(); ++i) out = std::max(out, distance_of(p[i].second, q[i].second));
  return out;
}

struct TwoRanks {
  std::array<Weights, kRanks> begin, end;
};

TwoRanks train_on_two(const TrainConfig& config) {
  TwoRanks out;
  run_thread_ranks(kRanks, [&](Context& context) {
    const auto rank = static_cast<std::size_t>(context.rank());
    TrainSession session(config, std::make_shared<NullLog>(), Occupied::refuse, {}, context);
    out.begin[rank] = weights_of(session.model());
    session.run(StopFlag(), {});
    out.end[rank] = weights_of(session.model());
  });
  return out;
}

class TwoRanksMakeTheUpdatesOfOneWithTwiceTheBatch : public ::testing::TestWithParam<const char*> {};

TEST_P(TwoRanksMakeTheUpdatesOfOneWithTwiceTheBatch, InDoublePrecision) {
  const ScratchFolder folder;
  const auto config = [&](const char* name, std::int64_t batch_size) {
    TrainConfig out = exact_config(folder.path / name, batch_size);
    out.optimizer.optimizer = GetParam();
    return out;
  };
  const TwoRanks two = train_on_two(config("two", 1));
  TrainSession one(config("one", 2), std::make_shared<NullLog>());
  const Weights begin = weights_of(one.model());
  one.run(StopFlag(), {});
  const Weights end = weights_of(one.model());

  EXPECT_EQ(furthest(two.begin[0], begin), 0);
  EXPECT_EQ(furthest(two.end[0], two.end[1]), 0);
  std::int64_t learnt = 0;
  for (std::size_t i = 0; i < end.size(); ++i) {
    const double moved = distance_of(end[i].second, begin[i].second);
    // The gradient of a bias before an instance norm is nothing but rounding, which Adam divides by itself.
    if (moved < 1e-8) continue;
    ++learnt;
    EXPECT_LT(distance_of(two.end[0][i].second, end[i].second), 1e-12)
        << end[i].first << " moved by " << moved;
  }
  EXPECT_GE(learnt, static_cast<std::int64_t>(end.size()) / 2);
  const std::vector<Json> log_of_two = read_lines(RunDirectory(folder.path / "two").log()),
                          log_of_one = read_lines(RunDirectory(folder.path / "one").log());
  ASSERT_EQ(log_of_two.size(), log_of_one.size());
  for (std::size_t i = 0; i < log_of_one.size(); ++i)
    for (const std::string& loss : one.model().loss_names())
      EXPECT_NEAR(log_of_two[i].at(loss), log_of_one[i].at(loss), 1e-12) << loss << " of line " << i;
}

INSTANTIATE_TEST_SUITE_P(Optimizers, TwoRanksMakeTheUpdatesOfOneWithTwiceTheBatch,
                         ::testing::Values("adam", "sgd"));

TEST(TwoRanksOfATraining, WriteOneRun) {
  const ScratchFolder folder;
  const TrainConfig config = exact_config(folder.path / "two", 1);
  train_on_two(config);
  const RunDirectory run(folder.path / "two");
  EXPECT_THAT(steps_of(read_lines(run.log())), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(read_lines(run.sessions()).size(), 1U);
  EXPECT_THAT(files_in(run.samples()), ElementsAre("step_00000004.png"));
  EXPECT_EQ(run.list_event_files().size(), 1U);
  EXPECT_THAT(checkpoint_steps(run), ElementsAre(3, 4));
  EXPECT_TRUE(fs::exists(run.model()));
  EXPECT_TRUE(Archive::read(run.checkpoint(4)).has_value("train/ranks"));
}

TEST(TwoRanksOfATraining, GoOnOnOneRankWithAWarning) {
  const ScratchFolder folder;
  train_on_two(exact_config(folder.path / "two", 1));
  Lines lines;
  ResumePoint point = open_resume_point(folder.path / "two", lines);
  ResumedConfig resumed = resumed_config(point, {{"epochs", 2}});
  const auto log = std::make_shared<Lines>();
  TrainSession(std::move(resumed), std::move(point), log);
  EXPECT_THAT(log->lines, ::testing::Contains(HasSubstr("the run was on 2 ranks and continues on one")));
}

/// A fake run on one of the ranks; six items make an epoch of three steps of one image each.
struct RankRun {
  explicit RankRun(Context& context)
      : loader(std::make_shared<CountingData>(6), {1, 0, true, 1, 0}, {}, context),
        trainer(model, loader, FakeRun::schedule(), FakeRun::state(12, rank_seed(1, context)), context) {}

  FakeModel model;
  Loader loader;
  Trainer trainer;
  StopFlag stop;
};

TEST(TwoRanksOfATraining, BeginWithTheFirstOnesWeights) {
  run_thread_ranks(kRanks, [&](Context& context) {
    FakeModel model;
    const at::NoGradGuard no_grad;
    for (const auto& [name, network] : model.networks())
      for (const auto& [key, tensor] : state_dict(*network)) tensor.fill_(context.rank() + 3.0);
    share_weights(model, context);
    EXPECT_EQ(model.weight(), 3.0);
  });
}

TEST(TwoRanksOfATraining, AStopOfOneStopsBothAfterTheSameStep) {
  std::array<std::int64_t, kRanks> steps{};
  run_thread_ranks(kRanks, [&](Context& context) {
    RankRun run(context);
    auto probe = std::make_unique<Probe>();
    probe->step = [&](TrainState& state, const StepScalars&) {
      if (context.rank() == 1 && state.step == 5) run.stop.request();
    };
    run.trainer.add(std::move(probe));
    EXPECT_EQ(run.trainer.run(run.stop), EndReason::stopped);
    steps[static_cast<std::size_t>(context.rank())] = run.trainer.state().step;
  });
  EXPECT_THAT(steps, ElementsAre(5, 5));
}

TEST(TwoRanksOfATraining, ALossThatIsNotFiniteOnOneEndsBoth) {
  std::array<std::string, kRanks> said;
  EXPECT_THROW(run_thread_ranks(kRanks,
                                [&](Context& context) {
                                  RankRun run(context);
                                  if (context.rank() == 1)
                                    run.model.loss = [](std::int64_t step) {
                                      return step < 3 ? 1.0 : std::nan("");
                                    };
                                  try {
                                    run.trainer.run(run.stop);
                                  } catch (const DivergedError& error) {
                                    said[static_cast<std::size_t>(context.rank())] = error.what();
                                    throw;
                                  }
                                }),
               DivergedError);
  EXPECT_THAT(said[0], HasSubstr("step 3 (epoch 1): loss first is nan; images of rank 0"));
  EXPECT_THAT(said[1], HasSubstr("images of rank 1"));
}

TEST(TwoRanksOfATraining, LossesAreMeansAndScalarsTheFirstOnes) {
  run_thread_ranks(kRanks, [&](Context& context) {
    RankRun run(context);
    run.model.loss = [&](std::int64_t step) { return static_cast<double>(step + 10 * context.rank()); };
    if (context.is_first()) run.trainer.add(std::make_unique<RunningMean>("first", 2));
    run.trainer.run(run.stop);
    const auto& epoch = run.trainer.state().meters.last_epoch();
    EXPECT_EQ(epoch.at("first"), 11 + 5);  // steps 10, 11, 12
    ASSERT_TRUE(epoch.contains("mean_first")) << "rank " << context.rank();
    EXPECT_NEAR(epoch.at("mean_first"), ((45.0 / 9 + 5) + (66.0 / 11 + 5)) / 2, 1e-12);
  });
}

TEST(TwoRanksOfATraining, TheFirstOnesObserverSetsTheLengthOfBoth) {
  std::array<std::int64_t, kRanks> steps{};
  run_thread_ranks(kRanks, [&](Context& context) {
    RankRun run(context);
    if (context.is_first()) {
      auto probe = std::make_unique<Probe>();
      probe->step = [&](TrainState& state, const StepScalars&) {
        if (state.step == 4) run.trainer.set_length(1, 1, 6);
      };
      run.trainer.add(std::move(probe));
    }
    EXPECT_EQ(run.trainer.run(run.stop), EndReason::finished);
    steps[static_cast<std::size_t>(context.rank())] = run.trainer.state().step;
    EXPECT_EQ(run.trainer.state().epochs, 2);
  });
  EXPECT_THAT(steps, ElementsAre(6, 6));
}

}  // namespace
}  // namespace torsor::testing
