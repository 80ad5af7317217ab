// Run directories as they are met: whole, torn, in progress, of older versions, and folders that are none.
#include "run_folder.h"

#include <cmath>

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsNan;

std::vector<std::string> names_of(const RunLog& log) {
  std::vector<std::string> out;
  for (const ScalarSeries& s : log.scalars) out.push_back(s.name);
  return out;
}

TEST(RunRecord, ReadsALogWithGapsAndATornEnd) {
  RunFolder run;
  run.write(run.directory.log(),
            R"({"step":20,"epoch":1,"lr":0.1,"seconds":2.5,"data_wait":0.5,"d_a":1.0,"cycle_a":3}
{"step":40,"epoch":1,"lr":0.1,"seconds":5,"data_wait":0.25,"d_a":null,"cycle_a":2,"psnr_b":30}
not JSON
{"step":50,"epoch":2,"lr":0.05,"seconds":6,"data_wait":0.25,"d_a":0.5,"cycle_a":1}
{"step":60,"epo)");
  const RunLog log = run.read().log;
  EXPECT_THAT(names_of(log), ElementsAre("d_a", "cycle_a", "psnr_b", "lr"));
  EXPECT_THAT(log.find("d_a")->values, ElementsAre(1, IsNan(), 0.5));
  EXPECT_THAT(log.find("d_a")->steps, ElementsAre(20, 40, 50));
  EXPECT_THAT(log.find("psnr_b")->steps, ElementsAre(40));
  EXPECT_EQ(log.find("seconds"), nullptr);
  EXPECT_EQ(log.last_step, 50);
  EXPECT_EQ(log.last_epoch, 2);
  EXPECT_EQ(log.seconds, 6);
  EXPECT_EQ(log.data_wait, 0.25);
  EXPECT_EQ(log.torn_lines, 2);
}

// As where a process was killed and the run went on elsewhere, before its log was set right.
TEST(RunRecord, TakesTheLaterOfTwoLinesOfAStep) {
  RunFolder run;
  run.write(run.directory.log(),
            "{\"step\":1,\"d_a\":1}\n{\"step\":2,\"d_a\":2}\n{\"step\":3,\"d_a\":3}\n"
            "{\"step\":2,\"d_a\":20}\n{\"step\":4,\"d_a\":40}\n");
  const RunLog log = run.read().log;
  EXPECT_THAT(log.find("d_a")->steps, ElementsAre(1, 2, 4));
  EXPECT_THAT(log.find("d_a")->values, ElementsAre(1, 20, 40));
}

TEST(RunRecord, OfAnOlderVersionSaysWhatItDoesNotKnow) {
  RunFolder run;
  run.write(run.directory.sessions(), R"({"started":"2026-01-01T00:00:00Z","from_step":0})");
  const RunRecord read = run.read();
  EXPECT_EQ(read.name, "run");
  EXPECT_EQ(read.planned_steps(), 0);
  EXPECT_TRUE(read.is_loss("d_a"));
  EXPECT_EQ(read.domain("a"), "A");
  EXPECT_FALSE(read.sample_layout.has_value());
  EXPECT_TRUE(read.log.scalars.empty());
}

TEST(RunRecord, TellsLossesFromMetricsAndHowLongTheRunIs) {
  RunFolder run;
  run.write(
      run.directory.sessions(),
      "{\"steps\":100,\"losses\":[\"d_a\"],\"domains\":{\"a\":{\"name\":\"horses\"}}}\n{\"steps\":80}\n");
  RunRecord read = run.read();
  EXPECT_TRUE(read.is_loss("d_a"));
  EXPECT_FALSE(read.is_loss("kid"));
  EXPECT_EQ(read.domain("a"), "horses");
  EXPECT_EQ(read.planned_steps(), 80);
  run.write(run.directory.budget(), "{\"step\":10,\"steps\":60}\n");
  EXPECT_EQ(run.read().planned_steps(), 60);
  EXPECT_EQ(read.planned_steps(), 80) << "as it was when it was read";
  run.write(run.directory.sessions(), "{\"from_step\":0,\"steps\":80}\n{\"from_step\":40,\"steps\":90}\n");
  EXPECT_EQ(run.read().planned_steps(), 90);
}

TEST(RunRecord, KeepsEachNoticeOnce) {
  RunFolder run;
  run.write(run.directory.notices(),
            R"({"step":5,"level":"warning","text":"slow"}
{"step":9,"level":"warning","text":"slow"}
{"step":9,"level":"notice","text":"by the way"}
{"step":10,"level":"failure","text":"over"}
)");
  const auto notices = run.read().notices;
  ASSERT_EQ(notices.size(), 3u);
  EXPECT_EQ(notices[0].step, 5);
  EXPECT_TRUE(notices[0].is_warning && !notices[1].is_warning && notices[2].is_warning);
}

TEST(RunRecord, RefusesWhatIsNoRunInOneLine) {
  const TestFolder folder;
  EXPECT_THAT(error_of([&] { read_run(folder.path); }), HasSubstr("not a run directory"));
  EXPECT_THAT(error_of([&] { read_run(folder / "none"); }), HasSubstr("no such run directory"));
  RunFolder run;
  run.write(run.directory.config(), "[1]");
  EXPECT_THAT(error_of([&] { run.read(); }), HasSubstr("config.json"));
  run.write(run.directory.config(), "{}");
  run.write(run.directory.sample_layout(), "{\"cell\": 3}");
  EXPECT_THAT(error_of([&] { run.read(); }), HasSubstr("samples.json"));
}

TEST(RunRecord, OfSeveralHasNamesThatTellThemApart) {
  RunFolder first, second("other");
  const std::string one = first.directory.root(), other = second.directory.root();
  EXPECT_EQ(read_runs({one, other})[1].name, "other");
  std::filesystem::create_directory(first.directory.root() / "run");
  std::filesystem::copy_file(first.directory.config(), first.directory.root() / "run" / "config.json");
  const auto alike = read_runs({one, one + "/run/", other});
  EXPECT_NE(alike[0].name, alike[1].name);
  EXPECT_THAT(alike[1].name, HasSubstr(one));
  EXPECT_THAT(error_of<UsageError>([&] { read_runs({one, one + "/"}); }), HasSubstr("given twice"));
}

}  // namespace
}  // namespace torsor::testing
