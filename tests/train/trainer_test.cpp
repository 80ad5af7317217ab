// The training loop on a model of one weight: steps, epochs, observers, divergence, stopping, continuation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "image/codec.h"
#include "train/observers.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A trainer over six items an epoch by two (three steps), two epochs at full rate and two decaying.
struct FakeRun {
  explicit FakeRun(std::int64_t total_steps = 12, LoaderPosition start = {}, std::uint64_t seed = 1)
      : loader(std::make_shared<CountingData>(6), {2, 0, true, 1, 0}, start),
        trainer(model, loader, schedule(), state(total_steps, seed)) {}

  static Schedule schedule() {
    ScheduleOptions options;
    options.epochs = options.epochs_decay = 2;
    return Schedule(options);
  }
  static TrainState state(std::int64_t total_steps, std::uint64_t seed) {
    TrainState state(seed);
    state.total_steps = total_steps;
    state.epochs = 4;
    return state;
  }
  Probe& probe() {
    auto made = std::make_unique<Probe>();
    Probe& out = *made;
    trainer.add(std::move(made));
    return out;
  }
  Checkpointer::Save save() {
    return [this](const std::filesystem::path& path) {
      Archive archive;
      trainer.save(archive);
      archive.write(path, {});
    };
  }
  EndReason run() { return trainer.run(stop); }

  FakeModel model;
  Loader loader;
  Trainer trainer;
  StopFlag stop;
};

TEST(Trainer, DoesEveryStepOfTheScheduleAtItsRate) {
  FakeRun run;
  std::vector<std::int64_t> steps, epochs;
  std::vector<double> factors;
  run.probe().step = [&](TrainState& state, const StepReport&) {
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
    run.probe().step = [&](TrainState& state, const StepReport&) { out.push_back(state.lr); };
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
    probe.step = [&calls, name](TrainState& s, const StepReport& r) {
      calls.push_back(name + " step " + std::to_string(s.step) + fmt::format(" {}", r.loss("first")));
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
  run.trainer.add(std::make_unique<Checkpointer>(directory, Cadence{0}, Retention{}, run.save()));
  Probe& probe = run.probe();
  probe.step = [&](TrainState& state, const StepReport&) {
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
  run.probe().step = [](TrainState&, const StepReport&) { fail("disk full"); };
  EXPECT_THAT(error_of([&] { run.run(); }), HasSubstr("disk full"));
  EXPECT_EQ(run.model.steps, 1);
}

TEST(Divergence, NamesStepLossImagesAndTheLastGoodCheckpoint) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run;
  run.model.second_loss = [](std::int64_t step) { return step == 5 ? std::nan("") : 1.0; };
  run.trainer.add(std::make_unique<Checkpointer>(directory, Cadence{2}, Retention{}, run.save()));
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
  run.trainer.add(std::make_unique<Checkpointer>(directory, Cadence{2}, Retention{}, run.save()));
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
  class Memory : public Observer {
   public:
    explicit Memory(std::int64_t& value) : value_(value) {}
    void after_step(TrainState&, const StepReport&) override { ++value_; }
    void save(Archive& archive) const override { archive.put("memory", Json(value_)); }
    void load(const Archive& archive) override { value_ = archive.value("memory"); }

   private:
    std::int64_t& value_;
  };
  std::int64_t one = 0, other = 0;
  FakeRun first(3), second(3);
  first.trainer.add(std::make_unique<Memory>(one));
  second.trainer.add(std::make_unique<Memory>(other));
  first.run();
  Archive archive;
  first.trainer.save(archive);
  second.trainer.load(archive);
  second.trainer.load_observers(archive);
  EXPECT_EQ(other, 3);
}

TEST(LossMeters, AverageOverTheEpochAndSmooth) {
  LossMeters meters;
  const auto add = [&](double value) {
    StepReport report;
    report.losses = {{"x", value}};
    meters.add(report);
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

TEST(JsonlLog, WritesEverySoManyStepsAndAlwaysTheLast) {
  const TestFolder folder;
  const auto logged = [&](std::int64_t every, std::int64_t total) {
    const auto path = folder.path / fmt::format("{}_{}.jsonl", every, total);
    FakeRun run(total);
    run.trainer.add(std::make_unique<JsonlLog>(path, every, run.loader));
    run.run();
    return read_lines(path);
  };
  const std::vector<Json> lines = logged(4, 10);
  EXPECT_THAT(steps_of(lines), ElementsAre(4, 8, 10));
  EXPECT_THAT(steps_of(logged(5, 10)), ElementsAre(5, 10));
  EXPECT_THAT(steps_of(logged(100, 1)), ElementsAre(1));
  const std::vector<std::int64_t> epochs = {2, 3, 4};  // three steps each, from 1
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("epoch"), epochs[i]);
    EXPECT_EQ(lines[i].at("first"), lines[i].at("step"));
    EXPECT_EQ(lines[i].at("second"), 2);
    EXPECT_GE(lines[i].at("seconds"), 0);
    EXPECT_GE(lines[i].at("data_wait"), 0);
    EXPECT_LE(lines[i].at("data_wait"), 1);
  }
  EXPECT_EQ(lines[0].at("lr"), 0.0002);
  EXPECT_NEAR(lines[2].at("lr").get<double>(), 0.0002 / 3, 1e-12);
  EXPECT_THAT(error_of([&] { JsonlLog(folder.path / "no" / "log.jsonl", 1, FakeRun().loader); }),
              HasSubstr("log.jsonl"));
}

TEST(Checkpointer, KeepsTheNewestTwo) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run(11);
  run.trainer.add(std::make_unique<Checkpointer>(directory, Cadence{3}, Retention{}, run.save()));
  run.run();
  EXPECT_THAT(files_in(directory.checkpoints()),
              ElementsAre("step_00000009.safetensors", "step_00000011.safetensors"));
  EXPECT_THAT(checkpoint_steps(directory), ElementsAre(9, 11));
}

TEST(Checkpointer, WritesTheLastStepOnce) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run(6);
  int written = 0;
  run.trainer.add(
      std::make_unique<Checkpointer>(directory, Cadence{3}, Retention{}, [&](const auto&) { ++written; }));
  run.run();
  EXPECT_EQ(written, 3);  // after steps 1, 3 and 6
}

TEST(Checkpointer, ANewRunCanGoOnFromItsFirstStep) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run(6);
  std::vector<std::string> at_two;
  run.trainer.add(std::make_unique<Checkpointer>(directory, Cadence{0, 3600}, Retention{}, run.save()));
  run.probe().step = [&](TrainState& state, const StepReport&) {
    if (state.step == 2) at_two = files_in(directory.checkpoints());
  };
  run.run();
  EXPECT_THAT(at_two, ElementsAre("step_00000001.safetensors"));
}

/// Two images of 8x8 with this value in every sample.
LabelledImages flat(const std::string& label, std::int64_t channels, double value) {
  return {label, at::full({2, channels, 8, 8}, value, at::kFloat)};
}

TEST(Sampler, WritesAGridOfBothDirections) {
  const TestFolder folder;
  FakeRun run(5);
  LabelledImages colours = flat("fake", 5, 0);  // red, green, blue and two more
  colours.images.select(1, 0).fill_(-1);
  colours.images.select(1, 2).fill_(1);
  LabelledImages pair = flat("two", 2, 1);
  run.model.pictures = {{flat("real", 1, -0.2), colours}, {flat("real", 3, 1), pair}};
  run.trainer.add(std::make_unique<Sampler>(run.model, Batch{}, ValueRange{}, folder.path, 2));
  run.run();
  EXPECT_THAT(files_in(folder.path),
              ElementsAre("step_00000002.png", "step_00000004.png", "step_00000005.png"));
  const Image grid = read_image(folder.path / "step_00000005.png");
  // Four rows (two images a direction) of two cells, each enlarged to 128 pixels, 4 pixels apart.
  ASSERT_EQ(grid.height, 4 * (128 + 4) + 4);
  ASSERT_EQ(grid.width, 2 * (128 + 4) + 4);
  ASSERT_EQ(grid.channels, 3);
  const auto middle_of = [&](std::int64_t row, std::int64_t column) {
    const std::int64_t y = 4 + 64 + row * 132, x = 4 + 64 + column * 132;
    const std::uint8_t* pixel = grid.u8() + (y * grid.width + x) * 3;
    return std::vector<int>{pixel[0], pixel[1], pixel[2]};
  };
  for (const std::int64_t row : {0, 1}) {
    EXPECT_THAT(middle_of(row, 0), ElementsAre(102, 102, 102));  // (1 - 0.2) / 2 of 255
    EXPECT_THAT(middle_of(row, 1), ElementsAre(0, 128, 255));
    EXPECT_THAT(middle_of(row + 2, 0), ElementsAre(255, 255, 255));
    EXPECT_THAT(middle_of(row + 2, 1), ElementsAre(255, 255, 0));  // a missing channel is dark
  }
}

/// Its only column is what it was given.
class Mirror : public FakeModel {
 public:
  std::vector<std::vector<LabelledImages>> sample(const Batch& batch) override {
    most = std::max(most, batch.size());
    return {{{"real", batch.at("real_a")}}, {{"real", batch.at("real_b")}}};
  }
  std::int64_t most = 0;
};

TEST(Sampler, MakesALargeGridAFewImagesAtATime) {
  Batch images;
  images.tensors["real_a"] = at::linspace(-1, 1, 11).reshape({11, 1, 1, 1}).expand({11, 1, 8, 8});
  images.tensors["real_b"] = -images.tensors["real_a"];
  Mirror model;
  const Image grid = sample_grid(model, images);
  EXPECT_EQ(model.most, kSamplesAtOnce);
  ASSERT_EQ(grid.height, 22 * (128 + 4) + 4);
  for (std::int64_t row = 0; row < 22; ++row) {
    const double expected = 255.0 * static_cast<double>(row < 11 ? row : 21 - row) / 10;
    EXPECT_NEAR(grid.u8()[((row * 132 + 64) * grid.width + 64) * 3], expected, 0.51) << row;
  }
}

TEST(Sampler, OfEveryZeroStepsWritesAtTheEndOnly) {
  const TestFolder folder;
  FakeRun run(5);
  run.model.pictures = {{flat("real", 3, 0)}};
  run.trainer.add(std::make_unique<Sampler>(run.model, Batch{}, ValueRange{}, folder.path, 0));
  run.run();
  EXPECT_THAT(files_in(folder.path), ElementsAre("step_00000005.png"));
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
