// What is in an event file stays readable, and a run that goes on from a step finds no later one there. What
// the events say is compared with TensorBoard's own reader in tests/cli/test_tensorboard.py.
#include "telemetry/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/files.h"
#include "telemetry/jsonl.h"
#include "telemetry/tf_record.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TestFolder;

// Not write_file_atomically, whose fsync takes longer than all else here.
void put(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

constexpr std::int64_t kEnd = 1000;

/// "step tag tag ..." of each event up to `step`.
std::vector<std::string> events_of(const fs::path& path, std::int64_t step = kEnd) {
  std::vector<std::string> out;
  end_of_events(path, step, [&](const EventHead& event) {
    out.push_back(std::to_string(event.step));
    for (const std::string& tag : event.tags) out.back() += " " + tag;
  });
  return out;
}

void write_three_steps(const fs::path& path) {
  EventFile file(path);
  file.begin_session(1);
  file.text(1, "configuration", "text");
  for (const std::int64_t step : {100, 200, 300}) {
    const std::vector<std::pair<std::string, double>> values = {{"loss/d_a", 0.5}, {"lr", 2e-4}};
    file.scalars(step, values);
    if (step == 200) file.picture(step, "samples", {2, 3, std::string(500, 'x')});
  }
}

TEST(EventFile, HoldsAnEventForEachCall) {
  const TestFolder folder;
  write_three_steps(folder / "events");
  EXPECT_THAT(events_of(folder / "events"), ElementsAre("0", "1", "1 configuration", "100 loss/d_a lr",
                                                        "200 loss/d_a lr", "200 samples", "300 loss/d_a lr"));
  EXPECT_THAT(events_of(folder / "events", 200),
              ElementsAre("0", "1", "1 configuration", "100 loss/d_a lr", "200 loss/d_a lr", "200 samples"));
}

TEST(EventFile, IsCutAfterTheStepThatARunGoesOnFrom) {
  const TestFolder folder;
  const fs::path path = folder / "events", aside = folder / "aside";
  write_three_steps(path);
  const std::string whole = read_file(path);
  const auto rewound = [&](std::int64_t step) {
    std::int64_t last = -1;
    rewind_events(path, step, aside, [&](const EventHead& event) { last = event.step; });
    return last;
  };
  EXPECT_EQ(rewound(300), 300);
  EXPECT_EQ(read_file(path), whole);
  EXPECT_FALSE(fs::exists(aside)) << "nothing to set aside";
  EXPECT_EQ(rewound(250), 200);
  EXPECT_EQ(events_of(path).back(), "200 samples");
  EXPECT_THAT(events_of(aside), ElementsAre("300 loss/d_a lr"));
  EXPECT_EQ(read_file(path) + read_file(aside), whole);
  EXPECT_EQ(rewound(150), 100);
  EXPECT_THAT(events_of(aside), ElementsAre("300 loss/d_a lr", "200 loss/d_a lr", "200 samples"));
  EXPECT_EQ(rewound(0), 0);
  EXPECT_THAT(events_of(path), ElementsAre("0"));
}

TEST(EventFile, IsCutBeforeATornRecord) {
  const TestFolder folder;
  const fs::path path = folder / "events", aside = folder / "aside";
  write_three_steps(path);
  const std::string whole = read_file(path);
  const auto ignore = [](const EventHead&) {};
  const std::size_t last = whole.size() - end_of_events(path, 299, ignore);
  for (std::size_t torn = 1; torn < last; ++torn) {
    put(path, whole.substr(0, whole.size() - torn));
    fs::remove(aside);
    rewind_events(path, kEnd, aside, ignore);
    EXPECT_EQ(read_file(path), whole.substr(0, whole.size() - last)) << torn;
    EXPECT_EQ(read_file(aside).size(), last - torn);
  }
  put(path, whole + tf_record("\xFF\xFF no event"));
  rewind_events(path, kEnd, aside, ignore);
  EXPECT_EQ(read_file(path), whole);
}

TEST(EventFile, OnAFullDiskFailsAsTheLogDoes) {
  const TestFolder folder;
  fs::create_symlink("/dev/full", folder / "events");
  fs::create_symlink("/dev/full", folder / "log.jsonl");
  const auto expected = [](const char* name) {
    return AllOf(HasSubstr(name), HasSubstr("No space left on device; free some space and start again"));
  };
  EXPECT_THAT(error_of([&] { EventFile(folder / "events"); }), expected("/events"));
  EXPECT_THAT(error_of([&] {
                JsonlFile(folder / "log.jsonl").write({{"step", 1}});
              }),
              expected("/log.jsonl"));
  EXPECT_THAT(error_of([&] { EventFile(folder / "no" / "events"); }), HasSubstr("No such file"));
}

}  // namespace
}  // namespace torsor
