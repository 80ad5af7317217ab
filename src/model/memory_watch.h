// How much memory a computation takes.
#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <memory>

#include "model/placement.h"

namespace torsor {

/// Watches from its making on, in this thread and autograd's, the memory of the placement's device: on a CPU
/// what malloc has given out beyond what it had then (tensors, and what kernels and libtorch's libraries keep
/// for themselves), on a GPU the tensors there.
class MemoryWatch {
 public:
  explicit MemoryWatch(const Placement& placement);
  ~MemoryWatch();

  double now() const;
  /// The most at a time since the last begin_peak(), seen whenever libtorch took some.
  double peak() const;
  void begin_peak();

 private:
  class Reporter;
  std::shared_ptr<Reporter> reporter_;
  c10::DebugInfoGuard guard_;
};

/// Something that was measured of so many pixels.
struct MeasuredAt {
  double pixels = 0, value = 0;
};

/// The value at `pixels` on the line through both; never less than the first's.
double carried_on(const MeasuredAt& first, const MeasuredAt& second, double pixels);

}  // namespace torsor
