// Whole runs on generated images: what they leave behind, and that a seed decides every bit.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "interchange/weight_source.h"
#include "io/safetensors.h"
#include "model/average_scope.h"
#include "train/session.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Session, LeavesARunDirectoryThatExplainsItself) {
  const TestFolder folder;
  const TrainConfig config = tiny_config(folder.path / "run");
  TrainSession session(config, std::make_shared<NullLog>());
  EXPECT_FALSE(std::filesystem::exists(config.run.out)) << "constructing a session writes nothing";
  EXPECT_EQ(session.steps_per_epoch(), 4);
  EXPECT_EQ(session.state().total_steps, 8);
  EXPECT_EQ(session.run(StopFlag(), {}), EndReason::finished);

  const RunDirectory directory = session.directory();
  EXPECT_EQ(read_json(directory.config()), options_to_json(config));
  EXPECT_EQ(options_to_json(config_from_json(read_json(directory.config()), "config.json")),
            options_to_json(config));
  const auto lines = read_lines(directory.log());
  EXPECT_THAT(steps_of(lines), ElementsAre(3, 6, 8));
  EXPECT_EQ(lines[0].at("epoch"), 1);
  EXPECT_EQ(lines[2].at("epoch"), 2);
  EXPECT_EQ(lines[0].at("lr"), 0.0002);
  EXPECT_EQ(lines[2].at("lr"), 0.0001);
  for (const std::string& name : session.model().loss_names()) EXPECT_GT(lines[2].at(name), 0) << name;
  EXPECT_THAT(files_in(directory.samples()), ElementsAre("step_00000004.png", "step_00000008.png"));
  EXPECT_THAT(files_in(directory.checkpoints()),
              ElementsAre("step_00000006.safetensors", "step_00000008.safetensors"));

  // Model and checkpoint hold the generators as they are now.
  const at::Tensor x = at::rand({1, 3, 16, 16}) * 2 - 1;
  at::NoGradGuard no_grad;
  const auto networks = session.model().networks();
  for (const auto& path : {directory.model(), directory.checkpoint(8)}) {
    const LoadedGenerator loaded = load_generator(read_weights(path), "a_to_b");
    EXPECT_TRUE(at::equal(loaded.generator->forward(x), networks[0].network->forward(x))) << path;
    EXPECT_EQ(loaded.info.step, 8);
    EXPECT_EQ(loaded.info.domains.at("a").name, "circles");
    EXPECT_EQ(loaded.info.domains.at("b").name, "squares");
    EXPECT_EQ(loaded.info.training, options_to_json(config));
    EXPECT_EQ(loaded.info.preprocessing.at("crop_size"), 16);
  }
  EXPECT_THAT(error_of([&] { train(config); }), AllOf(HasSubstr("--out"), HasSubstr("holds a run already")));
}

/// All that a run computed: weights, logged values but the times, sample pictures.
struct Outcome {
  explicit Outcome(const TrainConfig& config) {
    train(config);
    const RunDirectory directory(config.run.out);
    for (const auto& [name, tensor] : read_safetensors(directory.model()).tensors) weights[name] = tensor;
    log = read_lines(directory.log());
    for (Json& line : log) {
      line.erase("seconds");
      line.erase("data_wait");
    }
    for (const std::string& file : files_in(directory.samples()))
      samples[file] = read_file(directory.samples() / file);
  }
  std::vector<std::string> different_weights(const Outcome& other) const {
    std::vector<std::string> out;
    for (const auto& [name, tensor] : weights)
      if (!at::equal(tensor, other.weights.at(name))) out.push_back(name);
    return out;
  }
  std::map<std::string, at::Tensor> weights;
  std::vector<Json> log;
  std::map<std::string, std::string> samples;
};

TEST(Determinism, OneSeedIsOneResultWhateverTheLoaderThreads) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "first");
  cyclegan(config).nets.generator.dropout = true;
  config.run.log_every = 1;
  config.data.loader_threads = 1;
  const Outcome first(config);
  EXPECT_THAT(first.weights, SizeIs(::testing::Gt(20u)));
  EXPECT_THAT(first.log, SizeIs(8));
  EXPECT_THAT(first.samples, SizeIs(2));
  for (const std::int64_t threads : {1, 2, 0}) {
    config.run.out = (folder.path / ("again_" + std::to_string(threads))).string();
    config.data.loader_threads = threads;
    const Outcome again(config);
    EXPECT_THAT(again.different_weights(first), IsEmpty()) << threads << " threads";
    EXPECT_EQ(again.log, first.log) << threads << " threads";
    EXPECT_TRUE(again.samples == first.samples) << threads << " threads";
  }
  config.run.out = (folder.path / "other").string();
  config.run.seed = 1;
  const Outcome other(config);
  EXPECT_FALSE(other.different_weights(first).empty());
  EXPECT_NE(other.log.front(), first.log.front());
  EXPECT_FALSE(other.samples == first.samples);
}

TEST(Session, StopsAfterTheStepsAskedForOnTheSameCourse) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "whole");
  config.run.log_every = 1;
  const Outcome whole(config);
  config.run.out = (folder.path / "part").string();
  config.run.steps = 6;
  const Outcome part(config);
  ASSERT_THAT(part.log, SizeIs(6));
  for (std::size_t i = 0; i < part.log.size(); ++i) EXPECT_EQ(part.log[i], whole.log[i]) << i;
  EXPECT_THAT(part.samples,
              ElementsAre(::testing::Key("step_00000004.png"), ::testing::Key("step_00000006.png")));
}

TEST(Session, SaysThatMoreStepsThanTheScheduleHasAreNotDone) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.run.steps = 9;
  const auto notices = std::make_shared<Lines>();
  EXPECT_EQ(TrainSession(config, notices).state().total_steps, 8);
  EXPECT_THAT(notices->lines, ElementsAre(AllOf(HasSubstr("--steps 9"), HasSubstr("8 steps"))));
}

TEST(Session, StoppedOnRequestCanBeUsed) {
  const TestFolder folder;
  const TrainConfig config = tiny_config(folder.path / "run");
  TrainSession session(config, std::make_shared<NullLog>());
  StopFlag stop;
  auto probe = std::make_unique<Probe>();
  probe->step = [&](TrainState& state, const StepScalars&) {
    if (state.step == 2) stop.request();
  };
  std::vector<std::unique_ptr<Observer>> extra;
  extra.push_back(std::move(probe));
  EXPECT_EQ(session.run(stop, std::move(extra)), EndReason::stopped);
  const RunDirectory directory = session.directory();
  EXPECT_EQ(load_generator(read_weights(directory.model()), "b_to_a").info.step, 2);
  EXPECT_THAT(checkpoint_steps(directory), ElementsAre(1, 2));
  EXPECT_THAT(steps_of(read_lines(directory.log())), ElementsAre(2));
  EXPECT_THAT(files_in(directory.samples()), ElementsAre("step_00000002.png"));
}

// What samples, translate and export use is the average; discriminators have none, and the last weights stay.
TEST(Session, KeepsAveragedWeightsBesideTheLast) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.optimizer.ema = 0.9;
  TrainSession session(config, std::make_shared<NullLog>());
  session.run(StopFlag(), {});
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::rand({1, 3, 16, 16}) * 2 - 1;
  Network& live = *session.model().networks()[0].network;
  const at::Tensor last = live.forward(x);
  const AverageScope scope(session.model());
  const at::Tensor averaged = live.forward(x);
  ASSERT_FALSE(at::equal(last, averaged));
  for (const auto& path : {session.directory().model(), session.directory().checkpoint(8)}) {
    WeightSet set = open_weights(path);
    EXPECT_TRUE(at::equal(load_generator(set, "a_to_b").generator->forward(x), averaged)) << path;
    EXPECT_FALSE(set.averaged.contains("d_a"));
    const fs::path copy = folder.path / "copy.safetensors";
    write_weights(copy, set);
    WeightChoice of_last;
    of_last.weights = "last";
    EXPECT_TRUE(at::equal(load_generator(open_weights(copy, of_last), "a_to_b").generator->forward(x), last));
  }
}

TEST(Session, AveragedWeightsThatThereAreNotAreRefused) {
  const TestFolder folder;
  const TrainConfig config = tiny_config(folder.path / "run");
  train(config);
  WeightChoice averaged;
  averaged.weights = "averaged";
  EXPECT_THAT(error_of([&] { open_weights(config.run.out, averaged); }),
              AllOf(HasSubstr("--weights averaged"), HasSubstr("--ema")));
}

TEST(Session, ThatDivergesLeavesTheLastGoodCheckpointAndNoModel) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  cyclegan(config).cyclegan.cycle_norm = "l2";
  cyclegan(config).nets.generator.output_activation = "linear";
  cyclegan(config).nets.generator.norm = "none";
  config.optimizer.optimizer = "sgd";
  config.optimizer.lr = 1e6;
  cyclegan(config).nets.init = {"kaiming", 1};
  config.run.checkpoint_every = "1";
  const std::string message = error_of<DivergedError>([&] { train(config); });
  EXPECT_THAT(message, AllOf(HasSubstr("step "), HasSubstr("lower --lr")));
  const RunDirectory directory(config.run.out);
  EXPECT_FALSE(std::filesystem::exists(directory.model()));
  for (const auto& [path, step] : directory.list_checkpoints())
    for (const auto& [name, tensor] : Archive::read(path).tensors_under("net"))
      EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
}

TEST(Session, UnequalChannelsSwitchTheIdentityLossOffAndSaySo) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.data.channels_b = 1;
  const auto notices = std::make_shared<Lines>();
  TrainSession session(config, notices);
  EXPECT_THAT(notices->lines, ::testing::Contains(HasSubstr("identity loss is off")));
  EXPECT_EQ(session.run(StopFlag(), {}), EndReason::finished);
}

TEST(Session, AnUnknownPlateauLossIsFoundBeforeAnythingIsWritten) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.schedule.lr_policy = "plateau";
  config.schedule.plateau_loss = "cycle";
  EXPECT_THAT(error_of<UsageError>([&] { train(config); }),
              AllOf(HasSubstr("--plateau-loss"), HasSubstr("cycle_a")));
  EXPECT_FALSE(std::filesystem::exists(config.run.out));
  config.schedule.plateau_loss = "cycle_b";
  EXPECT_EQ(train(config), EndReason::finished);
}

TEST(Session, APlateauMayBeOfWhatAnObserverPublishes) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  config.schedule.lr_policy = "plateau";
  config.schedule.plateau_loss = "mean_cycle_a";
  EXPECT_THAT(error_of<UsageError>([&] { train(config); }), HasSubstr("unknown loss 'mean_cycle_a'"));
  EXPECT_FALSE(std::filesystem::exists(config.run.out));
  TrainSession session(config, std::make_shared<NullLog>());
  std::vector<std::unique_ptr<Observer>> extra;
  extra.push_back(std::make_unique<RunningMean>("cycle_a", 2));
  EXPECT_EQ(session.run(StopFlag(), std::move(extra)), EndReason::finished);
  const auto lines = read_lines(session.directory().log());
  EXPECT_THAT(steps_of(lines), ElementsAre(2, 3, 4, 6, 8)) << "every third, and those that it publishes at";
  for (const Json& line : lines)
    EXPECT_EQ(line.contains("mean_cycle_a"), line.at("step").get<int>() % 2 == 0) << line;
  EXPECT_GT(session.state().meters.last_epoch().at("mean_cycle_a"), 0);
}

TEST(Session, ACriticsStepsShareAnEpochsBatches) {
  const TestFolder folder;
  TrainConfig config = tiny_config(folder.path / "run");
  cyclegan(config).gan.gan_mode = "wgangp";
  cyclegan(config).cyclegan.critic_steps = 2;
  const TrainSession session(config, std::make_shared<NullLog>());
  EXPECT_EQ(session.steps_per_epoch(), 2);
  EXPECT_EQ(session.state().total_steps, 4);
}

}  // namespace
}  // namespace torsor::testing
