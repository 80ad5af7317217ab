#include "core/machine.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>

namespace torsor {

namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The first word of a file as a number; nothing for "max" and files that are not there.
std::optional<double> number_in(const fs::path& path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

// The number behind a name at a line's beginning.
std::optional<double> field(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    double value = 0;
    if (words >> first >> value && first == name) return value;
  }
  return std::nullopt;
}

enum class Hierarchy { v1, v2 };

// The folders of the control groups that this process is in and which know of `controller`, innermost first.
// A container may see its own group as the root, under another name than the kernel's.
void for_each_group(const fs::path& root, const std::string& controller,
                    const std::function<void(const fs::path&, Hierarchy)>& visit) {
  std::istringstream lines(text_of(root / "proc/self/cgroup"));
  const fs::path mounts = root / "sys/fs/cgroup";
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const bool unified = controllers == ",,";
    if (!unified && controllers.find("," + controller + ",") == std::string::npos) continue;
    std::error_code ec;
    const fs::path mount = !unified                             ? mounts / controller
                           : fs::exists(mounts / "unified", ec) ? mounts / "unified"
                                                                : mounts;
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    for (;; group = group.parent_path()) {
      visit(mount / group, unified ? Hierarchy::v2 : Hierarchy::v1);
      if (group.empty()) break;
    }
  }
}

// Files that a group has read count as its memory, but are given up when it needs more.
double given_up_on_demand(const fs::path& group, Hierarchy kind) {
  const std::string stat = text_of(group / "memory.stat"), all = kind == Hierarchy::v1 ? "total_" : "";
  return field(stat, all + "inactive_file").value_or(0) + field(stat, all + "active_file").value_or(0);
}

void take_lesser(MemoryRoom& room, double bytes, const std::string& bound) {
  if (bytes < room.bytes) room = {std::max(0.0, bytes), bound};
}

// Of the processors that this process is bound to; of all where the file has no lines of theirs.
void read_ticks(MachineUse& use, const fs::path& file) {
  cpu_set_t bound;
  const bool is_bound = sched_getaffinity(0, sizeof bound, &bound) == 0;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  MachineUse all, ours;
  std::ifstream stat(file);
  for (std::string line; std::getline(stat, line) && line.starts_with("cpu");) {
    std::istringstream fields(line.substr(3));
    std::size_t processor = 0;
    const bool is_sum = line[3] == ' ';
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft = 0, stolen = 0;
    if (!is_sum) fields >> processor;
    if (!(fields >> user >> nice >> system >> idle >> waiting >> irq >> soft >> stolen)) continue;
    MachineUse& sum = is_sum ? all : ours;
    if (!is_sum && is_bound && (processor >= CPU_SETSIZE || !CPU_ISSET(processor, &bound))) continue;
    sum.all += (user + nice + system + irq + soft) / ticks;
    sum.stolen += stolen / ticks;
  }
  const MachineUse& known = ours.all > 0 ? ours : all;
  use.all = known.all;
  use.stolen = known.stolen;
}

}  // namespace

MemoryRoom memory_room(const fs::path& root) {
  MemoryRoom room{HUGE_VAL, "this machine has free"};
  const std::string memory = text_of(root / "proc/meminfo");
  if (const auto available = field(memory, "MemAvailable:")) room.bytes = *available * 1024;
  for_each_group(root, "memory", [&](const fs::path& group, Hierarchy kind) {
    const bool v1 = kind == Hierarchy::v1;
    const auto limit = number_in(group / (v1 ? "memory.limit_in_bytes" : "memory.max"));
    const auto used = number_in(group / (v1 ? "memory.usage_in_bytes" : "memory.current"));
    if (limit && used)
      take_lesser(room, *limit - *used + given_up_on_demand(group, kind), "the container's limit leaves");
  });
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    take_lesser(room,
                static_cast<double>(limit.rlim_cur) -
                    field(text_of(root / "proc/self/status"), "VmSize:").value_or(0) * 1024,
                "ulimit -v leaves");
  return room;
}

double resident_bytes(const fs::path& root) {
  return field(text_of(root / "proc/self/status"), "VmRSS:").value_or(0) * 1024;
}

std::int64_t usable_processors(const fs::path& root) {
  cpu_set_t bound;
  double processors =
      sched_getaffinity(0, sizeof bound, &bound) == 0 ? CPU_COUNT(&bound) : sysconf(_SC_NPROCESSORS_ONLN);
  for_each_group(root, "cpu", [&](const fs::path& group, Hierarchy kind) {
    double quota = -1, period = 0;
    if (kind == Hierarchy::v2) {
      std::ifstream file(group / "cpu.max");
      if (!(file >> quota >> period)) quota = -1;  // "max 100000"
    } else {
      quota = number_in(group / "cpu.cfs_quota_us").value_or(-1);
      period = number_in(group / "cpu.cfs_period_us").value_or(0);
    }
    if (quota > 0 && period > 0) processors = std::min(processors, std::ceil(quota / period));
  });
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(processors));
}

MachineUse machine_use(const fs::path& root) {
  MachineUse use;
  use.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  use.own = seconds(own.ru_utime) + seconds(own.ru_stime);
  use.major_faults = static_cast<double>(own.ru_majflt);
  read_ticks(use, root / "proc/stat");
  for_each_group(root, "cpu", [&](const fs::path& group, Hierarchy kind) {
    const std::string text = text_of(group / "cpu.stat");
    const double held = kind == Hierarchy::v1 ? field(text, "throttled_time").value_or(0) * 1e-9
                                              : field(text, "throttled_usec").value_or(0) * 1e-6;
    use.throttled = std::max(use.throttled, held);
  });
  return use;
}

std::string hindrance(const MachineUse& before, const MachineUse& after, std::int64_t processors) {
  constexpr double kFaultsASecond = 50;  // a disk gives some hundreds
  constexpr double kNotable = 0.1;       // of the time, or of a processor
  const double seconds = after.seconds - before.seconds;
  if (seconds <= 0) return "";
  const double others = (after.all - before.all - (after.own - before.own)) / seconds;
  const double stolen = (after.stolen - before.stolen) / seconds;
  if ((after.major_faults - before.major_faults) / seconds > kFaultsASecond)
    return "memory is swapped to the disk; use smaller images, a smaller batch or a narrower network";
  if ((after.throttled - before.throttled) / seconds > kNotable)
    return "the container's processor quota holds it back; give --threads no more than the quota has "
           "processors";
  if (stolen > kNotable)
    return fmt::format("the host of this virtual machine gives {:.1f} of its {} processors to others", stolen,
                       processors);
  if (others > 2 * kNotable)
    return fmt::format(
        "other processes use {:.1f} of {} processors; fewer --threads may be quicker meanwhile", others,
        processors);
  return "";
}

}  // namespace torsor
