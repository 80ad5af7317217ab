// Trainings with nothing wrong, through which every alarm stays silent.
#include <cstdlib>
#include <map>

#include "alarm/alarm_watch.h"
#include "train/train_test_support.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSteps = 300;
constexpr std::int64_t kSeeds = 3;

// The settings of the demonstration's lessons.
const std::map<std::string, Json> kDrawn = {
    {"load_size", 32},        {"crop_size", 32},  {"net_g", "resnet_3blocks"},
    {"net_d", "n_layers"},    {"n_layers_d", 2},  {"norm", "batch"},
    {"init_type", "kaiming"}, {"ngf", 16},        {"ndf", 32},
    {"batch_size", 4},        {"lr", 1e-3},       {"lambda_cycle_a", 5.0},
    {"lambda_cycle_b", 5.0},  {"epoch_size", 200}};

std::vector<std::string> warnings_of(TrainConfig config, const fs::path& out) {
  config.run.out = out.string();
  config.run.steps = kSteps;
  config.alarms.alarm_every = 25;
  const auto log = std::make_shared<Lines>();
  TrainSession session(config, log);
  std::vector<std::unique_ptr<Observer>> extra;
  extra.push_back(alarm_observer(session, log, [] {}));
  session.run(StopFlag(), std::move(extra));
  std::vector<std::string> out_lines;
  for (const std::string& line : log->lines)
    if (line.starts_with("warning: alarm")) out_lines.push_back(line);
  return out_lines;
}

bool thorough() { return std::getenv("TORSOR_LONG") != nullptr; }

TEST(HealthyRuns, OfTheDemonstrationGiveNoAlarm) {
  if (!thorough()) GTEST_SKIP() << "nine trainings: runs where TORSOR_LONG is set";
  const TestFolder folder;
  const std::vector<std::pair<std::string, double>> lessons = {
      {"solid-striped", 1}, {"circles-squares", 0}, {"circles-squares", 2}};
  for (const auto& [task, identity] : lessons)
    for (std::int64_t seed = 0; seed < kSeeds; ++seed) {
      TrainConfig config;
      for (const auto& [name, value] : kDrawn) set_option(config, name, value);
      set_option(config, "data", "generated:" + task);
      set_option(config, "lambda_identity", identity);
      config.run.seed = seed;
      const std::string name = fmt::format("{}-{}-{}", task, identity, seed);
      EXPECT_THAT(warnings_of(config, folder / name), ::testing::IsEmpty()) << name;
    }
}

TEST(HealthyRuns, OnHorsesAndZebrasGiveNoAlarm) {
  if (!thorough()) GTEST_SKIP() << "three trainings: runs where TORSOR_LONG is set";
  const char* given = std::getenv("TORSOR_DATA");
  const fs::path data = fs::path(given != nullptr ? given : TORSOR_DATA_DEFAULT) / "horse2zebra";
  if (!fs::exists(data)) GTEST_SKIP() << "no horse2zebra at " << data << " (set TORSOR_DATA)";
  const TestFolder folder;
  for (std::int64_t seed = 0; seed < kSeeds; ++seed) {
    TrainConfig config;
    const Json preset = train_preset("laptop", *config.model);
    for (const auto& [name, value] : preset.items()) set_option(config, name, value);
    config.data.data = data.string();
    config.data.max_dataset_size = 200;
    config.run.seed = seed;
    EXPECT_THAT(warnings_of(config, folder / std::to_string(seed)), ::testing::IsEmpty()) << seed;
  }
}

}  // namespace
}  // namespace torsor::testing
