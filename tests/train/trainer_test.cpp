// The training loop on a model of one weight: steps, epochs, observers, divergence, stopping, continuation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "core/files.h"
#include "train/fake_run.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Trainer, DoesEveryStepOfTheScheduleAtItsRate) {
  FakeRun run;
  std::vector<std::int64_t> steps, epochs;
  std::vector<double> factors;
  run.probe().step = [&](TrainState& state, const StepScalars&) {
    steps.push_back(state.step);
    epochs.push_back(state.step_epoch);
    factors.push_back(state.lr / 0.0002);
  };
  EXPECT_EQ(run.run(), EndReason::finished);
  EXPECT_EQ(run.model.steps, 12);
  EXPECT_THAT(steps, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_THAT(epochs, ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3));
  const std::vector<double> by_epoch = {1, 1, 2.0 / 3, 1.0 / 3};  // 1 - max(0, e + 1 - 2) / 3
  for (std::size_t i = 0; i < factors.size(); ++i)
    EXPECT_NEAR(factors[i], by_epoch[i / 3], 1e-12) << "step " << i + 1;
  EXPECT_TRUE(run.trainer.state().finished());
}

TEST(Trainer, StopsAfterFewerStepsWithoutAlteringTheSchedule) {
  const auto rates = [](std::int64_t total) {
    FakeRun run(total);
    std::vector<double> out;
    run.probe().step = [&](TrainState& state, const StepScalars&) { out.push_back(state.lr); };
    EXPECT_EQ(run.run(), EndReason::finished);
    out.push_back(run.model.weight());
    return out;
  };
  auto whole = rates(12), part = rates(8);
  EXPECT_EQ(part.size(), 9u);
  part.pop_back();
  whole.resize(8);
  EXPECT_EQ(part, whole);
}

TEST(Trainer, CallsObserversInTheOrderTheyWereAdded) {
  FakeRun run(2);
  std::vector<std::string> calls;
  for (const std::string name : {"x", "y"}) {
    Probe& probe = run.probe();
    probe.start = [&calls, name](const TrainState& s) {
      calls.push_back(name + " start " + std::to_string(s.step));
    };
    probe.step = [&calls, name](TrainState& s, const StepScalars& r) {
      calls.push_back(name + " step " + std::to_string(s.step) + fmt::format(" {}", r.find("first").value()));
    };
    probe.end = [&calls, name](TrainState& s, EndReason reason) {
      calls.push_back(name + (reason == EndReason::finished ? " finished " : " stopped ") +
                      std::to_string(s.step));
    };
  }
  run.run();
  EXPECT_THAT(calls, ElementsAre("x start 0", "y start 0", "x step 1 1", "y step 1 1", "x step 2 2",
                                 "y step 2 2", "x finished 2", "y finished 2"));
}

TEST(Trainer, StopsBetweenTwoStepsAndSaves) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run;
  run.trainer.set_checkpointer(
      std::make_unique<Checkpointer>(directory, Cadence{0}, Retention{}, run.save()));
  Probe& probe = run.probe();
  probe.step = [&](TrainState& state, const StepScalars&) {
    if (state.step == 5) run.stop.request(2);
  };
  EXPECT_EQ(run.run(), EndReason::stopped);
  EXPECT_EQ(run.model.steps, 5);
  EXPECT_THAT(files_in(directory.checkpoints()), ElementsAre("step_00000005.safetensors"));
  EXPECT_EQ(run.trainer.state().last_checkpoint, directory.checkpoint(5).string());
  EXPECT_EQ(Archive::read(directory.checkpoint(5)).tensor("net/only/weight").item<float>(),
            static_cast<float>(run.model.weight()));
}

TEST(Trainer, StoppedBeforeItBeganDoesNothing) {
  FakeRun run;
  run.stop.request();
  EXPECT_EQ(run.run(), EndReason::stopped);
  EXPECT_EQ(run.model.steps, 0);
}

TEST(Trainer, PassesOnWhatAnObserverThrows) {
  FakeRun run;
  run.probe().step = [](TrainState&, const StepScalars&) { fail("disk full"); };
  EXPECT_THAT(error_of([&] { run.run(); }), HasSubstr("disk full"));
  EXPECT_EQ(run.model.steps, 1);
}

TEST(Divergence, NamesStepLossImagesAndTheLastGoodCheckpoint) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run;
  run.model.second_loss = [](std::int64_t step) { return step == 5 ? std::nan("") : 1.0; };
  run.trainer.set_checkpointer(
      std::make_unique<Checkpointer>(directory, Cadence{2}, Retention{}, run.save()));
  run.trainer.add(std::make_unique<JsonlLog>(directory.log(), 1, run.loader));
  bool has_ended = false;
  run.probe().end = [&](TrainState&, EndReason) { has_ended = true; };
  const std::string message = error_of<DivergedError>([&] { run.run(); });
  // Which images the fifth step sees follows from the loader alone.
  Loader twin(std::make_shared<CountingData>(6), {2, 0, true, 1, 0});
  Batch fifth;
  for (int i = 0; i < 5; ++i) fifth = twin.next();
  EXPECT_THAT(message, AllOf(HasSubstr("step 5 (epoch 2)"), HasSubstr("loss second is nan"),
                             HasSubstr("images: " + fifth.names.at("x")[0] + ", " + fifth.names.at("x")[1]),
                             HasSubstr(directory.checkpoint(4).string())));
  EXPECT_FALSE(has_ended);
  EXPECT_THAT(steps_of(read_lines(directory.log())), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(files_in(directory.checkpoints()),
              ElementsAre("step_00000002.safetensors", "step_00000004.safetensors"));
  const double weight = Archive::read(directory.checkpoint(4)).tensor("net/only/weight").item<double>();
  EXPECT_TRUE(std::isfinite(weight));
}

TEST(Divergence, InfiniteLossesCountAndNothingSavedIsSaid) {
  FakeRun run;
  run.model.loss = [](std::int64_t) { return -INFINITY; };
  EXPECT_THAT(
      error_of<DivergedError>([&] { run.run(); }),
      AllOf(HasSubstr("step 1 (epoch 1)"), HasSubstr("loss first is -inf"), HasSubstr("no checkpoint")));
}

TEST(Divergence, SpoiltWeightsAreNotSavedOverGoodOnes) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run;
  run.model.spoil_at = 4;  // while its loss is still finite
  run.trainer.set_checkpointer(
      std::make_unique<Checkpointer>(directory, Cadence{2}, Retention{}, run.save()));
  EXPECT_THAT(
      error_of<DivergedError>([&] { run.run(); }),
      AllOf(HasSubstr("step 4"), HasSubstr("only weight"), HasSubstr(directory.checkpoint(2).string())));
  EXPECT_THAT(files_in(directory.checkpoints()),
              ElementsAre("step_00000001.safetensors", "step_00000002.safetensors"));
}

TEST(Continuation, IsTheUninterruptedRun) {
  const TestFolder folder;
  const auto path = folder.path / "at_seven.safetensors";
  FakeRun whole;
  whole.run();
  {
    FakeRun first(7);
    first.run();
    Archive archive;
    first.trainer.save(archive);
    archive.write(path, {});
  }
  const Archive archive = Archive::read(path);
  TrainState saved(0);
  saved.load(archive);
  EXPECT_EQ(saved.step, 7);
  EXPECT_EQ(saved.epoch, 2);
  EXPECT_EQ(saved.loader.batch, 1);
  FakeRun second(12, saved.loader, 99);
  second.trainer.load(archive);
  second.trainer.load_observers(archive);
  EXPECT_EQ(second.run(), EndReason::finished);
  EXPECT_EQ(second.model.steps, 5);
  EXPECT_EQ(second.model.weight(), whole.model.weight());
  EXPECT_EQ(second.trainer.state().lr, whole.trainer.state().lr);
  EXPECT_EQ(second.trainer.state().rng.save(), whole.trainer.state().rng.save());
}

TEST(Continuation, AlsoSavesWhatObserversRemember) {
  FakeRun first(3), second(3);
  const RunningMean& one = first.add(std::make_unique<RunningMean>("first"));
  const RunningMean& other = second.add(std::make_unique<RunningMean>("first"));
  first.run();
  Archive archive;
  first.trainer.save(archive);
  EXPECT_EQ(archive.value("observer/mean/steps"), 3);
  EXPECT_EQ(archive.tensor("observer/mean/sum").item<double>(), 6);
  second.trainer.load(archive);
  second.trainer.load_observers(archive);
  EXPECT_EQ(other.mean(), one.mean());
  EXPECT_EQ(other.steps(), 3);
}

TEST(Continuation, OfARunWithoutAnObserverBeginsItAnew) {
  FakeRun first(3), second(5);
  first.run();
  Archive archive;
  first.trainer.save(archive);
  const RunningMean& mean = second.add(std::make_unique<RunningMean>("second"));
  second.trainer.load(archive);
  second.trainer.load_observers(archive);
  EXPECT_EQ(mean.steps(), 0);
  second.run();
  EXPECT_EQ(mean.steps(), 2);
}

TEST(Continuation, NamesTheEntryOfAnObserverThatIsDamaged) {
  FakeRun run(3);
  run.add(std::make_unique<RunningMean>("first"));
  Archive archive;
  archive.put("observer/mean/steps", Json(3));
  EXPECT_THAT(error_of([&] { run.trainer.load_observers(archive); }), HasSubstr("'observer/mean/sum'"));
  archive.put("observer/mean/sum", at::zeros({2}));
  EXPECT_THAT(error_of([&] { run.trainer.load_observers(archive); }),
              AllOf(HasSubstr("'observer/mean/sum'"), HasSubstr("shape")));
}

/// The steps that each checkpoint of a run says its observer has seen, with the checkpointer set before or
/// after the observer was added.
enum class Set { before, after };
std::vector<std::int64_t> remembered(Set when) {
  FakeRun run(4);
  std::vector<std::int64_t> out;
  auto checkpointer = std::make_unique<Probe>();
  const auto look = [&] {
    Archive archive;
    run.trainer.save(archive);
    out.push_back(archive.value("observer/mean/steps"));
  };
  checkpointer->step = [&, look](TrainState&, const StepScalars&) { look(); };
  checkpointer->end = [&, look](TrainState&, EndReason) { look(); };
  if (when == Set::after) run.add(std::make_unique<RunningMean>("first"));
  run.trainer.set_checkpointer(std::move(checkpointer));
  if (when == Set::before) run.add(std::make_unique<RunningMean>("first"));
  run.run();
  return out;
}

TEST(Trainer, CheckpointsLastWheneverObserversWereAdded) {
  EXPECT_THAT(remembered(Set::before), ElementsAre(1, 2, 3, 4, 4));
  EXPECT_THAT(remembered(Set::after), ElementsAre(1, 2, 3, 4, 4));
}

TEST(Trainer, WantsANameOfItsOwnForEachObserverAndScalar) {
  const auto refusal = [](const std::string& name, const std::vector<std::string>& scalars) {
    FakeRun run;
    run.add(std::make_unique<RunningMean>("first"));
    auto probe = std::make_unique<Probe>(name);
    probe->scalars = scalars;
    return error_of<std::logic_error>([&] { run.trainer.add(std::move(probe)); });
  };
  EXPECT_THAT(refusal("mean", {}), HasSubstr("two observers are called mean"));
  EXPECT_THAT(refusal("", {}), HasSubstr("no name"));
  EXPECT_THAT(refusal("a/b", {}), HasSubstr("a/b"));
  EXPECT_THAT(refusal("x", {"second"}), HasSubstr("'second'"));
  EXPECT_THAT(refusal("x", {"mean_first"}), HasSubstr("'mean_first'"));
  EXPECT_THAT(refusal("x", {"twice", "twice"}), HasSubstr("'twice'"));
  FakeRun run;
  run.probe().say = [](const TrainState&, StepScalars& scalars) { scalars.publish("sudden", 1); };
  EXPECT_THAT(error_of<std::logic_error>([&] { run.run(); }),
              AllOf(HasSubstr("probe0"), HasSubstr("sudden"), HasSubstr("announced")));
}

TEST(LossMeters, AverageOverTheEpochAndSmooth) {
  LossMeters meters;
  const auto add = [&](double value) {
    StepReport report;
    report.losses = {{"x", value}};
    meters.add(StepScalars(report));
  };
  EXPECT_THAT(meters.last_epoch(), IsEmpty());
  add(1);
  add(4);
  EXPECT_NEAR(meters.smoothed().at("x"), 0.98 * 1 + 0.02 * 4, 1e-12);
  meters.end_epoch();
  EXPECT_EQ(meters.last_epoch().at("x"), 2.5);
  add(10);
  EXPECT_EQ(meters.last_epoch().at("x"), 2.5);
  LossMeters restored;
  restored.load(Json::parse(meters.save().dump()));
  EXPECT_EQ(restored.save(), meters.save());
  restored.end_epoch();
  EXPECT_EQ(restored.last_epoch().at("x"), 10);
}

TEST(LossMeters, TakeTheMeanOfWhatThereWas) {
  LossMeters meters;
  const auto add = [](LossMeters& to, std::optional<double> value) {
    StepScalars scalars(StepReport{{{"x", 1}}, 0, 0, {}});
    if (value) scalars.publish("y", *value);
    to.add(scalars);
  };
  add(meters, 3);
  add(meters, {});
  add(meters, INFINITY);
  add(meters, 5);
  LossMeters restored;
  restored.load(Json::parse(meters.save().dump()));
  EXPECT_EQ(restored.save(), meters.save());
  add(restored, 7);
  restored.end_epoch();
  EXPECT_EQ(restored.last_epoch().at("y"), 5);
  EXPECT_EQ(restored.last_epoch().at("x"), 1);
  add(restored, {});
  restored.end_epoch();
  EXPECT_FALSE(restored.last_epoch().contains("y"));
}

TEST(LossMeters, OfLossesAloneAreStoredAsEver) {
  LossMeters meters;
  meters.add(StepScalars(StepReport{{{"x", 1.5}}, 0, 0, {}}));
  EXPECT_EQ(meters.save().dump(), R"({"sums":{"x":1.5},"smoothed":{"x":1.5},"last_epoch":{},"steps":1})");
}

TEST(RunDirectory, IsNeverOverwritten) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "deep" / "run");
  EXPECT_THAT(error_of([&] { directory.require(); }), HasSubstr("no such run directory"));
  directory.make();
  directory.write_config({{"lr", 0.5}});
  EXPECT_NO_THROW(directory.require());
  EXPECT_EQ(read_json(directory.config()), Json({{"lr", 0.5}}));
  EXPECT_THAT(error_of([&] { directory.require_free(); }),
              AllOf(HasSubstr("--out"), HasSubstr(directory.root().string())));
  EXPECT_EQ(read_json(directory.config()), Json({{"lr", 0.5}}));
  EXPECT_THAT(error_of([&] { RunDirectory(folder.path).require(); }), HasSubstr("config.json"));
}

TEST(RunDirectory, IsBegunAgainOnlyWhereNothingHasComeOfIt) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  EXPECT_NO_THROW(directory.require_free(Occupied::restart));
  directory.make();
  directory.write_config({{"lr", 0.5}});
  write_file_atomically(directory.root() / "notes.txt", "mine");
  EXPECT_THAT(error_of([&] { directory.require_free(); }), HasSubstr("--restart"));
  EXPECT_NO_THROW(directory.require_free(Occupied::restart));
  directory.clear();
  EXPECT_THAT(files_in(directory.root()), ElementsAre("notes.txt"));
  directory.make();
  write_file_atomically(directory.checkpoint(1), "weights");
  EXPECT_THAT(error_of([&] { directory.require_free(Occupied::restart); }), HasSubstr("--resume"));
  EXPECT_THAT(error_of([&] { directory.clear(); }), HasSubstr("--resume"));
  EXPECT_THAT(files_in(directory.checkpoints()), ElementsAre("step_00000001.safetensors"));
}

}  // namespace
}  // namespace torsor::testing
