// Parallel loops on libtorch's thread pool, since both use one OpenMP runtime.
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>

namespace torsor {

/// The threads of for_each_parallel(); 1 within it.
inline std::int64_t max_threads() { return omp_in_parallel() != 0 ? 1 : omp_get_max_threads(); }

/// Calls work(0) ... work(count - 1), each once, on OpenMP's threads. Results do not depend on the number of
/// threads as long as no two calls write to the same memory. Rethrows an exception of one of the calls.
template <class Work>
void for_each_parallel(std::int64_t count, const Work& work) {
  std::exception_ptr failure;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) try {
      work(i);
    } catch (...) {
#pragma omp critical(torsor_for_each_parallel)
      failure = std::current_exception();
    }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace torsor
