// TensorBoard's log beside the others: the same steps, the sampler's own pictures, each once.
#include "train/tensorboard_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "train/configuration_table.h"
#include "train/fake_run.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// "step tag tag ..." of each event of a run, in the order in which TensorBoard reads them.
std::vector<std::string> shown(const RunDirectory& directory) {
  std::vector<std::string> out;
  for (const fs::path& file : directory.list_event_files())
    end_of_events(file, 1000, [&](const EventHead& event) {
      if (event.tags.empty()) return;  // versions and beginnings
      out.push_back(fmt::format("{} {}", event.step, fmt::join(event.tags, " ")));
    });
  return out;
}

/// A fake run of `total` steps with both logs every second step, a metric every third, and samples every
/// fourth.
void run_in(const RunDirectory& directory, std::int64_t total, const Archive* from = nullptr) {
  directory.make();
  FakeRun run(total);
  run.model.pictures = {{{"real", at::zeros({2, 3, 8, 8})}}};
  if (from != nullptr) run.trainer.load(*from);
  run.trainer.add(std::make_unique<JsonlLog>(directory.log(), 2, run.loader));
  auto& log = run.add(std::make_unique<TensorBoardLog>(directory, 2, "options"));
  run.trainer.add(std::make_unique<Sampler>(run.model, Batch{}, ValueRange{}, directory, 4,
                                            [&](const SamplePicture& picture) { log.add(picture); }));
  auto metric = std::make_unique<Probe>("metric");
  metric->scalars = {"psnr_b"};
  metric->say = [](const TrainState& state, StepScalars& scalars) {
    if (state.step % 3 == 0) scalars.publish("psnr_b", 20);
  };
  run.trainer.add(std::move(metric));
  run.run();
}

Archive after_steps(std::int64_t steps) {
  FakeRun run(steps);
  run.run();
  Archive archive;
  run.trainer.save(archive);
  return archive;
}

TEST(TensorBoardLog, HasTheStepsOfTheLogAndTheSamples) {
  const TestFolder folder;
  const RunDirectory directory(folder.path);
  run_in(directory, 5);
  EXPECT_THAT(shown(directory),
              ElementsAre("1 configuration", "2 loss/first loss/second lr",
                          "3 loss/first loss/second metric/psnr_b lr", "4 loss/first loss/second lr",
                          "4 samples", "5 loss/first loss/second lr", "5 samples"));
  EXPECT_THAT(steps_of(read_lines(directory.log())), ElementsAre(2, 3, 4, 5));
}

TEST(TensorBoardLog, GoesOnInANewFileWithoutTheStepsThatAreRepeated) {
  const TestFolder folder;
  const RunDirectory directory(folder.path);
  run_in(directory, 5);
  const Archive archive = after_steps(3);
  run_in(directory, 4, &archive);
  EXPECT_THAT(shown(directory), ElementsAre("1 configuration", "2 loss/first loss/second lr",
                                            "3 loss/first loss/second metric/psnr_b lr", "4 configuration",
                                            "4 loss/first loss/second lr", "4 samples"));
  EXPECT_EQ(directory.list_event_files().size(), 2U);
  EXPECT_TRUE(fs::exists(directory.discarded_events()));
  // Resumed where it has ended: its last picture is drawn again and not shown twice.
  const Archive end = after_steps(4);
  const std::vector<std::string> before = shown(directory);
  run_in(directory, 4, &end);
  EXPECT_EQ(shown(directory), before);
  EXPECT_EQ(directory.list_event_files().size(), 2U);
}

TEST(TensorBoardLog, ShowsTheLastPictureOfARunThatHadNone) {
  const TestFolder folder;
  const RunDirectory directory(folder.path);
  const Archive end = after_steps(3);
  run_in(directory, 3, &end);
  EXPECT_THAT(shown(directory), ElementsAre("3 samples"));
}

TEST(EventFiles, OfARunSortByTheTimeOfTheirStart) {
  const TestFolder folder;
  const RunDirectory directory(folder.path);
  EXPECT_THAT(directory.list_event_files(), IsEmpty());
  const auto touch = [&](const std::string& name) { write_file_atomically(folder / name, ""); };
  const fs::path first = directory.new_event_file();
  touch(first.filename().string());
  EXPECT_GT(directory.new_event_file(), first) << "within a second too";
  touch("events.out.tfevents.9000000000.torsor");  // of a clock that was wrong
  touch("events.out.tfevents.9000000001.elsewhere");
  EXPECT_EQ(directory.new_event_file().filename(), "events.out.tfevents.9000000001.torsor");
  EXPECT_THAT(directory.list_event_files(),
              ElementsAre(first, folder / "events.out.tfevents.9000000000.torsor"));
}

TEST(ConfigurationTable, HasEveryOptionThoseThatDifferFirst) {
  TrainConfig config;
  config.optimizer.lr = 0.5;
  config.run.note = "a|b `c`";
  const std::string table = configuration_table(config);
  EXPECT_THAT(table, AllOf(StartsWith("| option | value | default |\n| --- | --- | --- |\n| `lr` | `0.5` | "
                                      "`0.0002` |\n| `note` | `` \"a|b `c`\" `` | `\"\"` |\n"),
                           HasSubstr("| `tensorboard` | `true` |  |\n")));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2 + std::ssize(options_to_json(config)));
}

}  // namespace
}  // namespace torsor::testing
