// What every run is watched by: scalars that observers publish, the log, checkpoints, sample grids.
#include "train/observers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "core/files.h"
#include "image/codec.h"
#include "train/fake_run.h"
#include "train/notices.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Publishes `value` as "psnr_b" after the steps that are multiples of `every`.
std::unique_ptr<Probe> metric(std::int64_t every, std::function<double(std::int64_t)> value) {
  auto probe = std::make_unique<Probe>("metric");
  probe->scalars = {"psnr_b"};
  probe->say = [every, value = std::move(value)](const TrainState& state, StepScalars& scalars) {
    if (state.step % every == 0) scalars.publish("psnr_b", value(state.step));
  };
  return probe;
}

TEST(PublishedScalars, ReachAllObserversAndTheMeters) {
  FakeRun run(4);
  std::vector<std::string> seen;
  const auto note = [&](TrainState& state, const StepScalars& scalars) {
    std::string line = std::to_string(state.step);
    for (const auto& [name, value] : scalars.all()) line += fmt::format(" {} {}", name, value);
    seen.push_back(line);
  };
  run.probe().step = note;  // added before the one that publishes
  run.trainer.add(metric(2, [](std::int64_t step) { return 10.0 * static_cast<double>(step); }));
  run.probe().step = note;
  run.run();
  EXPECT_THAT(seen, ElementsAre("1 first 1 second 2", "1 first 1 second 2",  //
                                "2 first 2 second 2 psnr_b 20", "2 first 2 second 2 psnr_b 20",
                                "3 first 3 second 2", "3 first 3 second 2",  //
                                "4 first 4 second 2 psnr_b 40", "4 first 4 second 2 psnr_b 40"));
  const LossMeters& meters = run.trainer.state().meters;
  EXPECT_EQ(meters.last_epoch().at("psnr_b"), 20) << "of the one value in the first three steps";
  EXPECT_EQ(meters.last_epoch().at("first"), 2);
  EXPECT_FALSE(meters.smoothed().contains("psnr_b"));
}

TEST(PublishedScalars, OfOneNameTwiceInAStepAreAMistake) {
  StepScalars scalars(StepReport{{{"first", 1}}, 0, 0, {}});
  scalars.publish("psnr_b", 2);
  EXPECT_EQ(scalars.find("psnr_b"), 2);
  EXPECT_EQ(scalars.find("psnr_a"), std::nullopt);
  for (const std::string name : {"first", "psnr_b"})
    EXPECT_THAT(error_of<std::logic_error>([&] { scalars.publish(name, 3); }), HasSubstr(name));
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
  EXPECT_THAT(error_of([&] {
                FakeRun run;
                run.trainer.add(std::make_unique<JsonlLog>(folder.path / "no" / "log.jsonl", 1, run.loader));
                run.run();
              }),
              HasSubstr("log.jsonl"));
}

/// The names in a line of a log, in order.
std::vector<std::string> keys_of(const Json& line) {
  std::vector<std::string> out;
  for (const auto& [key, value] : line.items()) out.push_back(key);
  return out;
}

TEST(JsonlLog, HoldsWhatObserversPublishAtItsStep) {
  const TestFolder folder;
  const auto path = folder.path / "log.jsonl";
  FakeRun run(6);
  run.trainer.add(std::make_unique<JsonlLog>(path, 4, run.loader));
  run.trainer.add(metric(3, [](std::int64_t step) { return step == 3 ? 21.5 : INFINITY; }));
  run.run();
  const std::vector<Json> lines = read_lines(path);
  EXPECT_THAT(steps_of(lines), ElementsAre(3, 4, 6));
  EXPECT_THAT(keys_of(lines[0]),
              ElementsAre("step", "epoch", "lr", "seconds", "data_wait", "first", "second", "psnr_b"));
  EXPECT_THAT(keys_of(lines[1]),
              ElementsAre("step", "epoch", "lr", "seconds", "data_wait", "first", "second"));
  EXPECT_EQ(lines[0].at("psnr_b"), 21.5);
  EXPECT_TRUE(lines[2].at("psnr_b").is_null());
  FakeRun clashing(1);
  clashing.trainer.add(std::make_unique<JsonlLog>(path, 1, clashing.loader));
  auto probe = std::make_unique<Probe>("clash");
  probe->scalars = {"epoch"};
  probe->say = [](const TrainState&, StepScalars& scalars) { scalars.publish("epoch", 1); };
  clashing.trainer.add(std::move(probe));
  EXPECT_THAT(error_of<std::logic_error>([&] { clashing.run(); }), HasSubstr("epoch"));
}

TEST(JsonlLog, SetsLaterLinesAsideAndItsSecondsGoOn) {
  const TestFolder folder;
  const auto path = folder.path / "log.jsonl";
  write_file_atomically(path, "{\"step\":1,\"seconds\":100}\n{\"step\":2,\"seconds\":1000}\n{\"st");
  FakeRun run(4);
  Archive archive;
  {
    FakeRun first(1);
    first.run();
    first.trainer.save(archive);
  }
  run.trainer.load(archive);
  run.trainer.add(std::make_unique<JsonlLog>(path, 3, run.loader));
  run.run();
  const std::vector<Json> lines = read_lines(path);
  EXPECT_THAT(steps_of(lines), ElementsAre(1, 3, 4));
  EXPECT_GE(lines[1].at("seconds"), 100);
  EXPECT_LT(lines[2].at("seconds"), 1000);
  EXPECT_EQ(read_file(folder.path / "log.discarded.jsonl"), "{\"step\":2,\"seconds\":1000}\n{\"st\n");
}

TEST(Checkpointer, KeepsTheNewestTwo) {
  const TestFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.make();
  FakeRun run(11);
  run.trainer.set_checkpointer(
      std::make_unique<Checkpointer>(directory, Cadence{3}, Retention{}, run.save()));
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
  run.trainer.set_checkpointer(
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
  run.trainer.set_checkpointer(
      std::make_unique<Checkpointer>(directory, Cadence{0, 3600}, Retention{}, run.save()));
  run.probe().step = [&](TrainState& state, const StepScalars&) {
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
  const RunDirectory directory(folder.path);
  directory.make();
  FakeRun run(5);
  LabelledImages colours = flat("fake", 5, 0);  // red, green, blue and two more
  colours.images.select(1, 0).fill_(-1);
  colours.images.select(1, 2).fill_(1);
  LabelledImages pair = flat("two", 2, 1);
  run.model.pictures = {{flat("real", 1, -0.2), colours}, {flat("real", 3, 1), pair}};
  run.trainer.add(std::make_unique<Sampler>(run.model, Batch{}, ValueRange{}, directory, 2));
  run.run();
  EXPECT_THAT(files_in(directory.samples()),
              ElementsAre("step_00000002.png", "step_00000004.png", "step_00000005.png"));
  const GridLayout layout = GridLayout::from_json(read_json(directory.sample_layout()));
  EXPECT_EQ(layout.columns, (std::vector<std::vector<std::string>>{{"real", "fake"}, {"real", "two"}}));
  EXPECT_EQ(layout.cell, (Size{128, 128}));
  const Image grid = read_image(directory.sample(5));
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
  const Image grid = sample_grid(model, images).image;
  EXPECT_EQ(model.most, kSamplesAtOnce);
  ASSERT_EQ(grid.height, 22 * (128 + 4) + 4);
  for (std::int64_t row = 0; row < 22; ++row) {
    const double expected = 255.0 * static_cast<double>(row < 11 ? row : 21 - row) / 10;
    EXPECT_NEAR(grid.u8()[((row * 132 + 64) * grid.width + 64) * 3], expected, 0.51) << row;
  }
}

TEST(Sampler, OfEveryZeroStepsWritesAtTheEndOnly) {
  const TestFolder folder;
  const RunDirectory directory(folder.path);
  directory.make();
  FakeRun run(5);
  run.model.pictures = {{flat("real", 3, 0)}};
  run.trainer.add(std::make_unique<Sampler>(run.model, Batch{}, ValueRange{}, directory, 0));
  run.run();
  EXPECT_THAT(files_in(directory.samples()), ElementsAre("step_00000005.png"));
}

TEST(HeldOutSampler, WritesAGridWhenTheRunEnds) {
  class Grey : public Dataset {
   public:
    std::int64_t size() const override { return 20; }
    Batch get(std::int64_t, Rng&) const override {
      Batch sample;
      for (const char* name : {"real_a", "real_b"}) sample.tensors[name] = at::zeros({1, 8, 8});
      return sample;
    }
  };
  const TestFolder folder;
  FakeRun run(2);
  Mirror model;
  run.trainer.add(std::make_unique<HeldOutSampler>(model, std::make_shared<Grey>(), ValueRange{},
                                                   folder / "held_out.png"));
  run.run();
  EXPECT_EQ(read_image(folder / "held_out.png").height, 2 * 8 * (128 + 4) + 4);
}

// What was said before the folder was there, and by whom; lines of steps that are done again are set aside.
TEST(NoticeLog, KeepsWhatWasSaid) {
  const TestFolder folder;
  const auto path = folder / "notices.jsonl";
  const auto said = [&] {
    std::vector<std::string> lines;
    read_jsonl(path, [&](const Json& line) {
      lines.push_back(fmt::format("{} {} {}", line.at("step").get<int>(), line.at("level").get<std::string>(),
                                  line.at("text").get<std::string>()));
    });
    return lines;
  };
  {
    const auto log = std::make_shared<NoticeLog>(std::make_shared<NullLog>());
    log->warning("early");
    EXPECT_FALSE(std::filesystem::exists(path));
    FakeRun run(3);
    run.trainer.add(std::make_unique<NoticeKeeper>(log, path));
    run.probe().step = [&](TrainState&, const StepScalars&) { log->notice("each \xff"); };
    run.run();
    log->failure("over");
  }
  EXPECT_THAT(said(), ElementsAre("0 warning early", "1 notice each \uFFFD", "2 notice each \uFFFD",
                                  "3 notice each \uFFFD", "3 failure over"));
  NoticeLog resumed(std::make_shared<NullLog>());
  resumed.open(path, 1);
  resumed.warning("again");
  EXPECT_THAT(said(), ElementsAre("0 warning early", "1 notice each \uFFFD", "1 warning again"));
}

}  // namespace
}  // namespace torsor::testing
