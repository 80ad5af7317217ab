// A run that is interrupted and resumed is the run that was not, byte for byte.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "core/files.h"
#include "io/safetensors.h"
#include "model/model_keys.h"
#include "train/resume.h"
#include "train/session.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

/// Three steps of two images in each of four epochs.
TrainConfig tiny(const fs::path& out) {
  TrainConfig config = tiny_config(out);
  config.data.max_dataset_size = 5;
  config.data.batch_size = 2;
  cyclegan(config).nets.generator.ngf = cyclegan(config).nets.discriminator.ndf = 2;
  cyclegan(config).cyclegan.pool_size = 3;
  config.schedule.epochs = config.schedule.epochs_decay = 2;
  config.run.log_every = 1;
  config.run.sample_every = 2;
  config.run.checkpoint_every = "0";
  config.run.steps = 10;
  return config;
}

std::vector<std::string> go_on(const fs::path& run, const Json& flags = Json::object()) {
  const auto log = std::make_shared<Lines>();
  ResumePoint point = open_resume_point(run, *log);
  ResumedConfig resumed = resumed_config(point, flags);
  use_threads(resumed.config.run.threads);
  TrainSession(std::move(resumed), std::move(point), log).run(StopFlag(), {});
  return log->lines;
}

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

class ResumedRun : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.run.steps = 4;
    config_.run.checkpoint_every = std::string("1");
    train(config_);
  }
  std::string refusal(const Json& flags) const {
    return error_of<UsageError>([&] { go_on(directory_.root(), flags); });
  }

  TestFolder folder_;
  TrainConfig config_ = tiny(folder_ / "run");
  RunDirectory directory_{folder_ / "run"};
};

TEST_F(ResumedRun, TakesTheNewestWholeCheckpointAndSaysWhatItPassedOver) {
  std::string damaged = read_file(directory_.checkpoint(4));
  damaged[damaged.size() - 5] ^= 1;
  std::ofstream(directory_.checkpoint(4), std::ios::binary) << damaged;
  const auto lines = go_on(directory_.root(), {{"steps", 5}});
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("warning: passed over"), HasSubstr("step_00000004"),
                                    HasSubstr("checksum"))));
  EXPECT_EQ(Archive::read(directory_.checkpoint(5)).value("train/state").at("step"), 5);
  const auto sessions = read_lines(directory_.sessions());
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[1].at("from_step"), 3);
  EXPECT_THAT(sessions[1].at("warnings").dump(), HasSubstr("step_00000004"));
}

TEST_F(ResumedRun, ADamagedHeaderIsSeenToo) {
  std::string damaged = read_file(directory_.checkpoint(4));
  const std::size_t lr = damaged.find("\\\"lr\\\":");
  ASSERT_NE(lr, std::string::npos);
  damaged[damaged.find_first_of("0123456789", lr)] ^= 1;
  std::ofstream(directory_.checkpoint(4), std::ios::binary) << damaged;
  EXPECT_THAT(error_of([&] { Archive::read(directory_.checkpoint(4)); }),
              AllOf(HasSubstr("damaged"), HasSubstr("header")));
}

TEST_F(ResumedRun, WithoutAGoodCheckpointIsAnErrorThatNamesTheReason) {
  for (const auto& [path, step] : directory_.list_checkpoints()) std::ofstream(path, std::ios::trunc) << "x";
  EXPECT_THAT(error_of([&] { go_on(directory_.root()); }),
              AllOf(HasSubstr("none of its 2 checkpoints"), HasSubstr("step_00000004")));
  for (const auto& [path, step] : directory_.list_checkpoints()) fs::remove(path);
  EXPECT_THAT(error_of([&] { go_on(directory_.root()); }), HasSubstr("has no checkpoint"));
}

TEST_F(ResumedRun, MayChangeWhatMakesSenseAndRecordsIt) {
  const auto lines = go_on(directory_.root(), {{"lr", 0.5}, {"steps", 5}});
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("changed: lr was 0.0002"), HasSubstr("now 0.5"))));
  EXPECT_EQ(read_lines(directory_.log()).back().at("lr"), 0.5);
  EXPECT_EQ(read_json(directory_.config()).at("lr"), 0.5);
  EXPECT_EQ(read_lines(directory_.sessions()).back().at("changes").at("lr"),
            Json({{"then", 0.0002}, {"now", 0.5}}));
  // The next continuation keeps the change, without being told again.
  EXPECT_THAT(go_on(directory_.root(), {{"steps", 6}}), ElementsAre(HasSubstr("changed: steps")));
  EXPECT_EQ(read_lines(directory_.log()).back().at("lr"), 0.5);
}

TEST_F(ResumedRun, KeepsWhatBelongsToItAndSaysWhy) {
  EXPECT_THAT(refusal({{"ngf", 3}}), AllOf(HasSubstr("--ngf 3"), HasSubstr("it is 2"), HasSubstr("weights"),
                                           HasSubstr("--init-from")));
  EXPECT_THAT(refusal({{"batch_size", 1}}), AllOf(HasSubstr("--batch-size"), HasSubstr("order of images")));
  EXPECT_THAT(refusal({{"seed", 1}}), AllOf(HasSubstr("--seed"), HasSubstr("random numbers")));
  EXPECT_THAT(refusal({{"pool_size", 1}}), AllOf(HasSubstr("--pool-size"), HasSubstr("history")));
  EXPECT_THAT(refusal({{"preset", "laptop"}}), AllOf(HasSubstr("--preset"), HasSubstr("begins")));
  Json edited = read_json(directory_.config());
  edited["gan_mode"] = "hinge";
  directory_.write_config(edited);
  EXPECT_THAT(refusal(Json::object()), AllOf(HasSubstr("--gan-mode hinge"), HasSubstr("lsgan")));
}

TEST_F(ResumedRun, ThatIsCompleteWritesItsModelAgainAndNothingElse) {
  fs::remove(directory_.model());
  const std::string before = read_file(directory_.checkpoint(4));
  EXPECT_THAT(go_on(directory_.root()), IsEmpty());
  EXPECT_TRUE(fs::exists(directory_.model()));
  EXPECT_TRUE(read_file(directory_.checkpoint(4)) == before);
}

TEST_F(ResumedRun, OnOtherImagesOrThreadsGoesOnWithAWarning) {
  const auto lines =
      go_on(directory_.root(), {{"data", "generated:solid-striped"}, {"threads", 2}, {"steps", 5}});
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("warning: the images are not those"))));
  EXPECT_THAT(lines,
              Contains(AllOf(HasSubstr("warning: the last bits"), HasSubstr("threads 1 then, 2 now"))));
  at::set_num_threads(1);
}

TEST_F(ResumedRun, IsLockedWhileItTrains) {
  NullLog log;
  const ResumePoint point = open_resume_point(directory_.root(), log);
  EXPECT_THAT(error_of([&] { open_resume_point(directory_.root(), log); }),
              AllOf(HasSubstr("another process"), HasSubstr(std::to_string(::getpid()))));
}

TEST_F(ResumedRun, HalfWrittenFilesAreRemoved) {
  const fs::path leftover = directory_.checkpoints() / ".step_00000005.safetensors.123.0.torsor-tmp";
  std::ofstream(leftover) << "half";
  NullLog log;
  open_resume_point(directory_.root(), log);
  EXPECT_FALSE(fs::exists(leftover));
}

TEST(ResumeFrom, WhatIsNoRun) {
  const TestFolder folder;
  NullLog log;
  EXPECT_THAT(error_of([&] { open_resume_point(folder / "gone", log); }), HasSubstr("no such run directory"));
  EXPECT_THAT(error_of([&] { open_resume_point(folder.path, log); }), HasSubstr("config.json"));
}

// A tiny checkpoint of each format before today's, beside the config.json of its run.
TEST(OldFormats, AreReadAndGoneOnWith) {
  int formats = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(TORSOR_TEST_DATA) / "checkpoints")) {
    if (entry.path().extension() != ".safetensors") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const TestFolder folder;
    const RunDirectory directory(folder / "run");
    directory.make();
    fs::copy_file(entry.path(), directory.checkpoint(3));
    fs::copy_file(fs::path(entry.path()).replace_extension(".json"), directory.config());
    go_on(directory.root(), {{"steps", 5}, {"threads", 1}});
    EXPECT_THAT(checkpoint_steps(directory), ElementsAre(3, 5));
    EXPECT_EQ(read_weights(directory.checkpoint(5)).info.step, 5);
    ++formats;
  }
  EXPECT_EQ(formats, kModelFormat - 1);
}

TEST(Retention, KeepsTheNewestAndEveryKth) {
  const TestFolder folder;
  TrainConfig config = tiny(folder / "run");
  config.run.checkpoint_every = "1";
  config.run.keep_last = 1;
  config.run.keep_every = 4;
  train(config);
  EXPECT_THAT(checkpoint_steps(RunDirectory(folder / "run")), ElementsAre(4, 8, 10));
}

TEST(CadenceText, IsStepsOrTime) {
  EXPECT_EQ(Cadence::parse("500", "x").steps, 500);
  EXPECT_EQ(Cadence::parse("0", "x").steps, 0);
  EXPECT_EQ(Cadence::parse("10min", "x").seconds, 600);
  for (const std::string bad : {"", "5.5", "-1", "soon", "0min", "99999999999999999999"})
    EXPECT_THAT(error_of<UsageError>([&] { Cadence::parse(bad, "--checkpoint-every"); }),
                HasSubstr("--checkpoint-every"))
        << bad;
  EXPECT_TRUE((Cadence{3, 0}.due(6, 0)));
  EXPECT_FALSE((Cadence{3, 0}.due(7, 1e9)));
  EXPECT_TRUE((Cadence{0, 60}.due(7, 60)));
  EXPECT_FALSE((Cadence{0, 60}.due(7, 59)));
  EXPECT_FALSE((Cadence{}.due(6, 1e9)));
}

}  // namespace
}  // namespace torsor::testing
