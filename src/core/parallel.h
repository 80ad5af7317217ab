// Independent jobs, several at a time.
#pragma once

#include <cstddef>
#include <functional>

#include "core/stop.h"

namespace torsor {

/// Calls job(0) ... job(count - 1), `at_a_time` of them at a time (0: as many as there are processors), each
/// worker in a thread of its own, and returns when those that were begun have ended. Begins no further one
/// when a stop is requested or one has thrown, and rethrows what the first worker's threw.
void in_parallel(std::size_t count, const StopFlag& stop, const std::function<void(std::size_t)>& job,
                 std::size_t at_a_time = 0);

}  // namespace torsor
