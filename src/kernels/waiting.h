// How long OpenMP's threads spin for each other before they sleep.
#pragma once

#include <filesystem>
#include <memory>

namespace torsor {

/// While one lives, the threads of every team of this process sleep after 100 rounds of spinning, where they
/// otherwise spin 300,000. libgomp is that patient only as long as its teams have no more threads than there
/// are processors (GOMP_SPINCOUNT in its manual); this keeps a team that does nothing. Has no effect on
/// another runtime. Throws std::system_error where no thread can be made.
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

/// Looks four times a second whether other processes want the processors (core/contention.h), and keeps waits
/// brief as long as they do: a thread that spins takes a processor from them, and from the thread that it
/// waits for. On a machine that is idle spinning is the quickest. Does nothing where the environment says how
/// threads wait.
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
