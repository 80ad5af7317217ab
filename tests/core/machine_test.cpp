// Limits of memory and processors as containers set them, in made-up files of the kernel; failed allocations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sched.h>

#include <fstream>
#include <new>

#include "core/allocation.h"
#include "core/contention.h"
#include "core/machine.h"
#include "test_support.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestFolder;

constexpr double kMiB = 1024 * 1024;

class Machine : public ::testing::Test {
 protected:
  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((folder_.path / path).parent_path());
    std::ofstream(folder_.path / path) << text;
  }
  void has_free(double mib) const {
    write("proc/meminfo", "MemTotal:  99999999 kB\nMemFree:   1 kB\nMemAvailable:   " +
                              std::to_string(static_cast<std::int64_t>(mib * 1024)) + " kB\n");
  }
  MemoryRoom room() const { return memory_room(folder_.path); }

  TestFolder folder_;
};

TEST_F(Machine, WithoutLimitsItIsWhatTheKernelCallsAvailable) {
  has_free(500);
  EXPECT_EQ(room().bytes, 500 * kMiB);
  EXPECT_THAT(room().bound, HasSubstr("machine"));
  write("proc/self/cgroup", "0::/work\n");
  write("sys/fs/cgroup/work/memory.max", "max\n");
  write("sys/fs/cgroup/work/memory.current", "1000\n");
  EXPECT_EQ(room().bytes, 500 * kMiB);
}

TEST_F(Machine, AnyGroupAboveMayBeTheOneThatLimits) {
  has_free(50000);
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  write("sys/fs/cgroup/a/memory.max", std::to_string(400 * 1024 * 1024));
  write("sys/fs/cgroup/a/memory.current", std::to_string(300 * 1024 * 1024));
  EXPECT_EQ(room().bytes, 100 * kMiB);
  EXPECT_THAT(room().bound, HasSubstr("container"));
  write("sys/fs/cgroup/a/memory.stat", "anon 5\nfile 7\ninactive_file 20971520\nactive_file 10485760\n");
  EXPECT_EQ(room().bytes, 130 * kMiB) << "files that were read are given up for it";
}

TEST_F(Machine, AContainerSeesItsGroupAsTheRoot) {
  has_free(50000);
  write("proc/self/cgroup", "0::/docker/0123\n");  // which is not there
  write("sys/fs/cgroup/memory.max", std::to_string(64 * 1024 * 1024));
  write("sys/fs/cgroup/memory.current", "0");
  EXPECT_EQ(room().bytes, 64 * kMiB);
}

TEST_F(Machine, TheOldGroupsLimitToo) {
  has_free(50000);
  write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/job\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "123456\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(300 * 1024 * 1024));
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(100 * 1024 * 1024));
  write("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 52428800\n");
  EXPECT_EQ(room().bytes, 250 * kMiB);
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(400 * 1024 * 1024));
  write("sys/fs/cgroup/memory/job/memory.stat", "");
  EXPECT_EQ(room().bytes, 0) << "never less than nothing";
}

TEST_F(Machine, AQuotaLeavesFewerProcessors) {
  const std::int64_t all = usable_processors(folder_.path);
  ASSERT_GE(all, 1);
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(usable_processors(folder_.path), all);
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(usable_processors(folder_.path), 1);
  write("proc/self/cgroup", "3:cpu:/\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(usable_processors(folder_.path), all);
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "90000\n");
  EXPECT_EQ(usable_processors(folder_.path), 1);
}

TEST_F(Machine, SaysWhatKeptItFromComputing) {
  MachineUse before, after;
  after.seconds = 10;
  after.own = after.all = 19;
  EXPECT_EQ(hindrance(before, after, 2), "");
  after.own = 9;
  EXPECT_THAT(hindrance(before, after, 2), HasSubstr("other processes use 1.0 of 2 processors"));
  after.stolen = 5;
  EXPECT_THAT(hindrance(before, after, 2), HasSubstr("virtual machine"));
  after.throttled = 4;
  EXPECT_THAT(hindrance(before, after, 2), HasSubstr("quota"));
  after.major_faults = 5000;
  EXPECT_THAT(hindrance(before, after, 2), HasSubstr("swapped"));
}

TEST_F(Machine, ReadsTheKernelsCounters) {
  write("proc/stat", "cpu  100 20 30 4000 5 6 7 800 0 0\nintr 1 2 3\n");
  write("proc/self/cgroup", "0::/x\n");
  write("sys/fs/cgroup/x/cpu.stat", "usage_usec 5\nthrottled_usec 2500000\n");
  const MachineUse use = machine_use(folder_.path);
  EXPECT_GT(use.own, 0);
  EXPECT_DOUBLE_EQ(use.all / use.stolen, 163.0 / 800.0);
  EXPECT_DOUBLE_EQ(use.throttled, 2.5);
}

TEST_F(Machine, CountsTheProcessorsThatItMayUse) {
  cpu_set_t bound;
  ASSERT_EQ(sched_getaffinity(0, sizeof bound, &bound), 0);
  int ours = 0;
  while (!CPU_ISSET(ours, &bound)) ++ours;
  write("proc/stat", "cpu  900 0 0 0 0 0 0 0 0 0\ncpu" + std::to_string(ours) +
                         " 300 0 0 0 0 0 0 100 0 0\ncpu99999 600 0 0 0 0 0 0 0 0 0\n");
  const MachineUse use = machine_use(folder_.path);
  EXPECT_DOUBLE_EQ(use.all / use.stolen, 3);
}

/// Looks a quarter of a second apart, in each of which processes took so many seconds of two processors.
class Looks {
 public:
  bool take(double own, double others, double throttled = 0) {
    now_.seconds += 0.25;
    now_.own += 0.25 * own;
    now_.all += 0.25 * (own + others);
    now_.throttled += 0.25 * throttled;
    return contention_.look(now_);
  }

 private:
  MachineUse now_;
  Contention contention_{2};
};

TEST(Contention, IsNoneWhereThereIsRoomForAll) {
  Looks looks;
  EXPECT_FALSE(looks.take(2, 0));
  EXPECT_FALSE(looks.take(2, 0));
  EXPECT_FALSE(looks.take(1.95, 0.05)) << "something always runs";
  EXPECT_FALSE(looks.take(0.9, 0.5)) << "half a processor is free";
  EXPECT_TRUE(looks.take(1.5, 0.5));
}

TEST(Contention, EndsWhenTheOthersHaveStoppedForASecond) {
  Looks looks;
  looks.take(2, 0);
  EXPECT_TRUE(looks.take(1, 1));
  EXPECT_TRUE(looks.take(0.5, 1)) << "while it lasts this process sleeps more";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(looks.take(2, 0));
  EXPECT_TRUE(looks.take(1, 1)) << "a neighbour that paused";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(looks.take(2, 0));
  EXPECT_FALSE(looks.take(2, 0));
}

TEST(Contention, AQuotaThatIsUsedUpIsOneToo) {
  Looks looks;
  looks.take(1, 0);
  EXPECT_TRUE(looks.take(1, 0, 0.2));
}

TEST(Allocation, AFailedOneIsOneLine) {
  EXPECT_THAT(testing::error_of([] { for_purpose("step 7", "use less", [] { throw std::bad_alloc(); }); }),
              AllOf(HasSubstr("out of memory in step 7"), HasSubstr("; use less")));
  const std::runtime_error torch(
      "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
      "to allocate "
      "3221225472 bytes. Error code 12 (Cannot allocate memory)\nframe #0: somewhere\n");
  const auto told = allocation_failure(torch, "step 7", "use less");
  ASSERT_TRUE(told);
  EXPECT_THAT(*told, AllOf(HasSubstr("out of memory in step 7: 3.0 GiB more were asked for, and "),
                           HasSubstr("; use less"), Not(HasSubstr("enforce")), Not(HasSubstr("\n"))));
  const std::runtime_error cuda(
      "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of ...");
  EXPECT_THAT(*allocation_failure(cuda, "", "use less"),
              HasSubstr("out of memory: 2.50 GiB more were asked for; "));
  EXPECT_FALSE(allocation_failure(std::runtime_error("another reason"), "", ""));
  EXPECT_FALSE(allocation_failure(Error("x: out of memory cards"), "", "")) << "has said what it has to";
}

}  // namespace
}  // namespace torsor
