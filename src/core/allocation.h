// Allocations that fail, told in one line.
#pragma once

#include <exception>
#include <optional>
#include <string>

#include "core/error.h"

namespace torsor {

/// When `error` is a failed allocation, of C++, of libtorch or on a GPU: one line that says how much was
/// asked, for `purpose` ("step 12 of the training"; "" = unknown), how much there is, and `advice`.
std::optional<std::string> allocation_failure(const std::exception& error, const std::string& purpose,
                                              const std::string& advice);

/// For the rest of the program's life freed memory stays with it, where the C library can do that (glibc):
/// work that allocates and frees large blocks all the time otherwise spends a third of its time in the
/// system, which clears each page anew.
void keep_freed_memory();

/// Calls work(). Throws Error with the line above in place of a failed allocation, and what else work()
/// throws.
template <class Work>
auto for_purpose(const std::string& purpose, const std::string& advice, const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    const auto failure = allocation_failure(error, purpose, advice);
    if (!failure) throw;
    throw Error(*failure);
  }
}

}  // namespace torsor
