#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <vector>

#include "core/machine.h"

namespace torsor {

void in_parallel(std::size_t count, const StopFlag& stop, const std::function<void(std::size_t)>& job,
                 std::size_t at_a_time) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (std::size_t i = next++; i < count && !stop.requested() && !failed; i = next++) try {
        job(i);
      } catch (...) {
        failed = true;
        throw;
      }
  };
  if (at_a_time == 0) at_a_time = static_cast<std::size_t>(usable_processors());
  std::vector<std::future<void>> workers;
  for (std::size_t k = 0; k < std::min(at_a_time, count); ++k)
    workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.wait();
  for (auto& worker : workers) worker.get();
}

}  // namespace torsor
