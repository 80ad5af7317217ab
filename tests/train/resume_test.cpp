// A run that is interrupted and resumed is the run that was not, byte for byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "core/files.h"
#include "io/safetensors.h"
#include "model/model_keys.h"
#include "train/resume_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

/// Step -> logged values but the times.
std::map<std::int64_t, Json> logged(const RunDirectory& directory) {
  std::map<std::int64_t, Json> out;
  for (Json line : read_lines(directory.log())) {
    line.erase("seconds");
    line.erase("data_wait");
    out[line.at("step")] = line;
  }
  return out;
}

struct Variant {
  std::string name;
  std::function<void(TrainConfig&)> set;
  std::int64_t interrupted_after = 5;  // in the middle of the second epoch
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

class Resume : public ::testing::TestWithParam<Variant> {};

TEST_P(Resume, IsTheSameRunToTheByte) {
  const TestFolder folder;
  TrainConfig config = tiny(folder / "run");
  GetParam().set(config);
  ASSERT_EQ(train(config), EndReason::finished);
  const RunDirectory whole(folder / "whole"), resumed(folder / "run");
  fs::rename(resumed.root(), whole.root());

  config.run.steps = GetParam().interrupted_after;
  train(config);
  go_on(resumed.root(), {{"steps", 10}, {"loader_threads", config.data.loader_threads}});

  ASSERT_TRUE(fs::exists(whole.checkpoint(10)));
  EXPECT_TRUE(read_file(resumed.checkpoint(10)) == read_file(whole.checkpoint(10)));
  EXPECT_TRUE(read_file(resumed.model()) == read_file(whole.model()));
  EXPECT_EQ(logged(resumed), logged(whole));
  for (const std::string& file : files_in(whole.samples()))
    EXPECT_TRUE(read_file(resumed.samples() / file) == read_file(whole.samples() / file)) << file;
}

INSTANTIATE_TEST_SUITE_P(
    Variants, Resume,
    ::testing::Values(Variant{"plain", [](TrainConfig&) {}},  //
                      Variant{"at_an_epochs_end", [](TrainConfig&) {}, 6},
                      Variant{"after_one_step", [](TrainConfig&) {}, 1},
                      Variant{"vanilla_batch_dropout",
                              [](TrainConfig& c) {
                                cyclegan(c).gan.gan_mode = "vanilla";
                                cyclegan(c).nets.generator.norm = "batch";
                                cyclegan(c).nets.generator.dropout = true;
                              }},
                      Variant{"wgangp",
                              [](TrainConfig& c) {
                                cyclegan(c).gan.gan_mode = "wgangp";
                                cyclegan(c).cyclegan.critic_steps = 2;
                                c.schedule.epochs = 12;
                              }},
                      Variant{"no_pool_no_flip",
                              [](TrainConfig& c) {
                                cyclegan(c).cyclegan.pool_size = 0;
                                c.data.transform.flip = false;
                              }},
                      Variant{"full_pool", [](TrainConfig& c) { cyclegan(c).cyclegan.pool_size = 50; }},
                      Variant{"averaged", [](TrainConfig& c) { c.optimizer.ema = 0.9; }},
                      Variant{"bf16", [](TrainConfig& c) { c.run.placement.precision = "bf16"; }},
                      Variant{"fp64", [](TrainConfig& c) { c.run.placement.precision = "fp64"; }},
                      Variant{"plateau",
                              [](TrainConfig& c) {
                                c.schedule.lr_policy = "plateau";
                                c.schedule.epochs = 12;
                                c.data.epoch_size = 2;  // an epoch a step, so that it has judged several
                              }},
                      Variant{"sgd_hinge_serial",
                              [](TrainConfig& c) {
                                c.optimizer.optimizer = "sgd";
                                cyclegan(c).gan.gan_mode = "hinge";
                                c.data.serial_batches = true;
                              }},
                      Variant{"source_identity",
                              [](TrainConfig& c) {
                                cyclegan(c).cyclegan.alpha_id = 1;
                                cyclegan(c).cyclegan.cycle_norm = "l2";
                              }},
                      Variant{"every_term_one_adversary",
                              [](TrainConfig& c) {
                                CycleGanOptions& o = cyclegan(c).cyclegan;
                                o.lambda_gan_a = 0;
                                o.lambda_gan_cycle = o.lambda_feature_cycle = o.lambda_feature_identity = 1;
                                o.cycle_norm = "euclidean";
                              }},
                      Variant{"no_loader_threads", [](TrainConfig& c) { c.data.loader_threads = 0; }},
                      Variant{"four_loader_threads", [](TrainConfig& c) { c.data.loader_threads = 4; }}),
    [](const auto& info) { return info.param.name; });

// The checkpoint as format 3 had it, of a program that knew one model and one pairing.
void write_as_format_3(const fs::path& checkpoint) {
  Safetensors file = read_safetensors(checkpoint);
  std::map<std::string, std::string>& metadata = file.metadata;
  metadata.erase("xxh3_128");
  metadata.erase("xxh3_128_header");
  metadata.at("torsor.format") = "3";
  Json model = Json::parse(metadata.at("torsor.model"));
  for (Json& network : model.at("networks"))
    for (const char* key : {"from", "to", "sees"}) network.erase(key);
  for (const char* key : {"model", "pairing"}) model.at("training").erase(key);
  metadata.at("torsor.model") = model.dump();
  write_safetensors(checkpoint, file);
}

TEST(ResumeFormat3, IsTheSameRunToTheByte) {
  const TestFolder folder;
  TrainConfig config = tiny(folder / "run");
  ASSERT_EQ(train(config), EndReason::finished);
  const RunDirectory whole(folder / "whole"), resumed(folder / "run");
  fs::rename(resumed.root(), whole.root());

  config.run.steps = 5;
  train(config);
  write_as_format_3(resumed.checkpoint(5));
  Json stored = read_json(resumed.config());
  for (const char* key : {"model", "pairing"}) stored.erase(key);
  write_file_atomically(resumed.config(), stored.dump());
  EXPECT_THAT(go_on(resumed.root(), {{"steps", 10}}), ElementsAre(HasSubstr("changed: steps")));

  EXPECT_TRUE(read_file(resumed.checkpoint(10)) == read_file(whole.checkpoint(10)));
  EXPECT_TRUE(read_file(resumed.model()) == read_file(whole.model()));
}

// A run from before the two directions had adversarial weights of their own knows only the common one.
TEST(ResumeOlder, AConfigurationWithoutLaterOptionsGoesOnToTheByte) {
  const TestFolder folder;
  TrainConfig config = tiny(folder / "run");
  cyclegan(config).cyclegan.lambda_gan = 0.5;
  train(config);
  const RunDirectory whole(folder / "whole"), resumed(folder / "run");
  fs::rename(resumed.root(), whole.root());
  config.run.steps = 5;
  train(config);
  const auto older = [](Json options) {
    for (const char* later : {"lambda_gan_a", "lambda_gan_b", "lambda_d_a", "lambda_d_b", "lambda_gan_cycle",
                              "lambda_feature_cycle", "lambda_feature_identity"})
      EXPECT_EQ(options.erase(later), 1u) << later;
    return options;
  };
  resumed.write_config(older(read_json(resumed.config())));
  for (const auto& [path, step] : resumed.list_checkpoints()) {
    const Archive checkpoint = Archive::read(path);
    auto metadata = checkpoint.metadata();
    Json model = Json::parse(metadata.at(kModelKey));
    model["training"] = older(model.at("training"));
    metadata[kModelKey] = model.dump();
    checkpoint.write(path, metadata);
  }
  go_on(resumed.root(), {{"steps", 10}});
  EXPECT_TRUE(read_file(resumed.checkpoint(10)) == read_file(whole.checkpoint(10)));
  EXPECT_TRUE(read_file(resumed.model()) == read_file(whole.model()));
  EXPECT_EQ(logged(resumed), logged(whole));
}

/// Rewinds the run's log; the last "seconds" that stay in it.
std::optional<double> rewind(const RunDirectory& directory, std::int64_t step) {
  std::optional<double> seconds;
  rewind_jsonl(directory.log(), step, [&](const Json& line) { seconds = line.at("seconds"); });
  return seconds;
}

TEST(ResumeAgain, LinesAfterTheCheckpointAreSetAside) {
  const TestFolder folder;
  const RunDirectory directory(folder / "run");
  directory.make();
  write_file_atomically(
      directory.log(),
      "{\"step\":1,\"seconds\":2.5}\n{\"step\":2,\"seconds\":5}\n{\"step\":3,\"seconds\":7}\n{\"st");
  EXPECT_EQ(rewind(directory, 2), 5);
  EXPECT_EQ(read_file(directory.log()), "{\"step\":1,\"seconds\":2.5}\n{\"step\":2,\"seconds\":5}\n");
  EXPECT_EQ(read_file(directory.discarded_log()), "{\"step\":3,\"seconds\":7}\n{\"st\n");
  EXPECT_EQ(rewind(directory, 1), 2.5);
  EXPECT_EQ(read_file(directory.discarded_log()),
            "{\"step\":3,\"seconds\":7}\n{\"st\n{\"step\":2,\"seconds\":5}\n");
  EXPECT_EQ(rewind(directory, 9), 2.5) << "nothing to set aside";
  fs::remove(directory.log());
  EXPECT_EQ(rewind(directory, 9), std::nullopt);
  EXPECT_EQ(discarded_beside(directory.log()), directory.discarded_log());
}

std::vector<std::unique_ptr<Observer>> with_mean(std::int64_t killed_after = 0) {
  std::vector<std::unique_ptr<Observer>> extra;
  extra.push_back(std::make_unique<RunningMean>("cycle_a", 2));
  // What it throws ends the session as a kill would: no end is told, nothing more is written.
  auto killer = std::make_unique<Probe>("killer");
  killer->step = [killed_after](TrainState& state, const StepScalars&) {
    if (state.step == killed_after) fail("killed");
  };
  extra.push_back(std::move(killer));
  return extra;
}

TEST(ResumeAfterAKill, AnObserverRemembersAsIfItHadNotBeen) {
  const TestFolder folder;
  TrainConfig config = tiny(folder / "run");
  config.run.checkpoint_every = "3";
  config.schedule.lr_policy = "plateau";
  config.schedule.plateau_loss = "mean_cycle_a";
  const RunDirectory whole(folder / "whole"), resumed(folder / "run");
  const auto quiet = std::make_shared<NullLog>();
  TrainSession(config, quiet).run(StopFlag(), with_mean());
  fs::rename(resumed.root(), whole.root());

  EXPECT_THAT(error_of([&] { TrainSession(config, quiet).run(StopFlag(), with_mean(8)); }),
              HasSubstr("killed"));
  EXPECT_THAT(checkpoint_steps(resumed), ElementsAre(3, 6));
  EXPECT_EQ(Archive::read(resumed.checkpoint(6)).value("observer/mean/steps"), 6)
      << "the checkpoint is of the end of its step";
  EXPECT_EQ(read_lines(resumed.log()).back().at("step"), 8);

  ResumePoint point = open_resume_point(resumed.root(), *quiet);
  ResumedConfig again = resumed_config(point, Json::object());
  TrainSession(std::move(again), std::move(point), quiet).run(StopFlag(), with_mean());
  EXPECT_TRUE(read_file(resumed.checkpoint(10)) == read_file(whole.checkpoint(10)));
  EXPECT_TRUE(read_file(resumed.model()) == read_file(whole.model()));
  EXPECT_EQ(logged(resumed), logged(whole));
  EXPECT_EQ(logged(whole).at(10).contains("mean_cycle_a"), true);
  EXPECT_THAT(steps_of(read_lines(resumed.log())), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_THAT(steps_of(read_lines(resumed.discarded_log())), ElementsAre(7, 8));
}

}  // namespace
}  // namespace torsor::testing
