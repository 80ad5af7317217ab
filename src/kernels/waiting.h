// How long OpenMP's threads spin for each other before they sleep.
#pragma once

#include <filesystem>
#include <memory>

namespace torsor {

/// During its lifetime the threads of every OpenMP team of this process sleep after 100 spins instead of
/// 300,000. libgomp spins that long only as long as its teams have no more threads than there are CPUs
/// (GOMP_SPINCOUNT in its manual); this class keeps an idle team. It has no effect on another runtime. Throws
/// std::system_error where no thread can be created.
class BriefWaits {
 public:
  BriefWaits();
  ~BriefWaits();
  BriefWaits(const BriefWaits&) = delete;
  BriefWaits& operator=(const BriefWaits&) = delete;

 private:
  class IdleTeam;
  std::unique_ptr<IdleTeam> team_;
};

/// A monitor that samples contention for the CPUs four times a second (core/contention.h) and keeps waits
/// brief while there is some: a spinning thread takes a CPU from other processes, and from the thread that it
/// waits for. On an idle machine spinning is fastest. It is inactive where the environment sets the wait
/// policy.
class WaitingPolicy {
 public:
  /// The kernel's counters are read below `root`.
  explicit WaitingPolicy(const std::filesystem::path& root = "/");
  ~WaitingPolicy();
  WaitingPolicy(const WaitingPolicy&) = delete;
  WaitingPolicy& operator=(const WaitingPolicy&) = delete;

  /// Whether waits are kept brief right now.
  bool is_brief() const;

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}  // namespace torsor
