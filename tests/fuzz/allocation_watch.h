// How much memory an action takes, whoever asks for it: our code, libtorch, an image library.
#pragma once

#include <cstddef>

namespace torsor::testing {

/// Counts from its construction on, over all threads. One at a time.
class AllocationWatch {
 public:
  AllocationWatch();
  ~AllocationWatch();
  AllocationWatch(const AllocationWatch&) = delete;
  AllocationWatch& operator=(const AllocationWatch&) = delete;

  /// The most bytes held at one time beyond those held at the start.
  std::size_t peak() const;
  /// The largest single request, granted or not.
  std::size_t largest() const;
};

}  // namespace torsor::testing
