// Waits become brief under contention and long again without it; results do not change.
#include "kernels/waiting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "kernels/parallel.h"
#include "test_support.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t threads_of_this_process() {
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
}

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

// Threads of earlier tests stay in the list for a moment after they were joined.
std::ptrdiff_t threads_that_stay() {
  std::ptrdiff_t least = threads_of_this_process();
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    least = std::min(least, threads_of_this_process());
  }
  return least;
}

double sum_of_squares() {
  std::vector<double> parts(1000);
  for_each_parallel(1000, [&](std::int64_t i) { parts[static_cast<std::size_t>(i)] = 1.0 * i * i; });
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

TEST(BriefWaits, KeepATeamAsLongAsTheyLast) {
  sum_of_squares();  // opens this thread's own team
  const std::ptrdiff_t before = threads_that_stay();
  {
    const BriefWaits brief;
    EXPECT_TRUE(comes_true([&] { return threads_of_this_process() >= before + 2; }));
    EXPECT_EQ(sum_of_squares(), 332833500);
  }
  EXPECT_TRUE(comes_true([&] { return threads_of_this_process() == before; }));
  EXPECT_EQ(sum_of_squares(), 332833500);
}

/// The Linux kernel's CPU counters, written by the test.
class Neighbours {
 public:
  Neighbours() { write(0); }
  /// From here on other processes use all CPUs, or none.
  void work() { rate_ = 1e6; }
  void rest() { rate_ = 0; }
  fs::path root() const { return folder_.path; }
  /// Advances their time until the condition holds.
  bool until(const std::function<bool()>& condition) {
    return comes_true([&] {
      write(ticks_ += rate_);
      return condition();
    });
  }

 private:
  void write(double ticks) {
    fs::create_directories(folder_.path / "proc");
    std::ofstream(folder_.path / "proc/next")
        << "cpu  " << static_cast<std::int64_t>(ticks) << " 0 0 0 0 0 0 0 0 0\n";
    fs::rename(folder_.path / "proc/next", folder_.path / "proc/stat");
  }

  testing::TestFolder folder_;
  double ticks_ = 0, rate_ = 0;
};

/// Clears the environment's wait policy for one test.
class Wait : public ::testing::Test {
 protected:
  Wait() {
    for (const char* name : kNames)
      if (const char* value = std::getenv(name)) before_[name] = value;
    for (const char* name : kNames) unsetenv(name);
  }
  ~Wait() override {
    for (const char* name : kNames) unsetenv(name);
    for (const auto& [name, value] : before_) setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  static constexpr const char* kNames[] = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"};
  std::map<std::string, std::string> before_;
};

TEST_F(Wait, IsBriefUnderContentionOnly) {
  Neighbours neighbours;
  const WaitingPolicy policy(neighbours.root());
  EXPECT_FALSE(policy.is_brief());
  neighbours.work();
  EXPECT_TRUE(neighbours.until([&] { return policy.is_brief(); }));
  neighbours.rest();
  EXPECT_TRUE(neighbours.until([&] { return !policy.is_brief(); }));
}

TEST_F(Wait, IsLeftToTheEnvironment) {
  setenv("OMP_WAIT_POLICY", "active", 1);
  Neighbours neighbours;
  neighbours.work();
  const std::ptrdiff_t before = threads_that_stay();
  const WaitingPolicy policy(neighbours.root());
  EXPECT_EQ(threads_of_this_process(), before);
  EXPECT_FALSE(policy.is_brief());
}

}  // namespace
}  // namespace torsor
