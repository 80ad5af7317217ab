// What a run that goes on takes up, may change and refuses; the checkpoints that there are.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/files.h"
#include "model/model_keys.h"
#include "train/resume_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

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
