#include "kernels/waiting.h"

#include <omp.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/contention.h"

namespace torsor {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks(250);

bool environment_decides() {
  return std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
}

// Signals are left to the program's own threads, whose waits they interrupt.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

/// Something that threads wait for until it is done.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }
  /// Whether it was opened within that time.
  bool wait_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace

// libgomp counts a team's threads until the thread that opened it ends.
class BriefWaits::IdleTeam {
 public:
  IdleTeam()
      : thread_([this] {
          const int threads = std::max(2, omp_get_num_procs());
#pragma omp parallel num_threads(threads)
          end_.wait();
        }) {
  }
  ~IdleTeam() {
    end_.open();
    thread_.join();
  }

 private:
  Gate end_;
  std::thread thread_;
};

BriefWaits::BriefWaits() : team_(std::make_unique<IdleTeam>()) {}
BriefWaits::~BriefWaits() = default;

class WaitingPolicy::Watch {
 public:
  explicit Watch(std::filesystem::path root) : root_(std::move(root)), thread_([this] { look(); }) {}
  ~Watch() {
    end_.open();
    thread_.join();
  }
  bool is_brief() const { return is_brief_; }

 private:
  void look() {
    block_signals();
    Contention contention(omp_get_num_procs());
    std::optional<BriefWaits> brief;
    do {
      if (!contention.look(machine_use(root_)))
        brief.reset();
      else if (!brief)
        try {
          brief.emplace();
        } catch (const std::system_error&) {  // no more threads available; the next sample tries again
        }
      is_brief_ = brief.has_value();
    } while (!end_.wait_for(kBetweenLooks));
  }

  std::filesystem::path root_;
  std::atomic<bool> is_brief_{false};
  Gate end_;
  std::thread thread_;
};

WaitingPolicy::WaitingPolicy(const std::filesystem::path& root) {
  if (environment_decides()) return;
  try {
    watch_ = std::make_unique<Watch>(root);
  } catch (const std::system_error&) {  // no more threads available: the runtime's policy stays
  }
}
WaitingPolicy::~WaitingPolicy() = default;

bool WaitingPolicy::is_brief() const { return watch_ && watch_->is_brief(); }

}  // namespace torsor
