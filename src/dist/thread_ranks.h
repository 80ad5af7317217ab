// Ranks that are threads of one process: training on several ranks without a launcher, as tests need it.
#pragma once

#include <functional>

#include "dist/context.h"

namespace torsor {

/// Calls work(context) once for every rank, each in a thread of its own, and returns when all are done. When
/// one throws, the others' next call of their context throws too; rethrows what the first one threw. Throws
/// std::logic_error below one rank.
void run_thread_ranks(std::int64_t size, const std::function<void(Context&)>& work);

}  // namespace torsor
