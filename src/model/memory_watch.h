// How much memory a computation takes.
#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <memory>

#include "model/placement.h"

namespace torsor {

/// Measures from its construction on, in this thread and autograd's, the memory of the placement's device: on
/// a CPU the bytes that malloc has allocated beyond those at that time (tensors, and the buffers of kernels
/// and libtorch's libraries), on a GPU the tensors there.
class MemoryWatch {
 public:
  explicit MemoryWatch(const Placement& placement);
  ~MemoryWatch();

  double now() const;
  /// The peak since the last begin_peak(), sampled at each allocation by libtorch.
  double peak() const;
  void begin_peak();

 private:
  class Reporter;
  std::shared_ptr<Reporter> reporter_;
  c10::DebugInfoGuard guard_;
};

/// A value measured at a number of pixels.
struct MeasuredAt {
  double pixels = 0, value = 0;
};

/// Linear extrapolation to `pixels` through both; never less than the first's value.
double carried_on(const MeasuredAt& first, const MeasuredAt& second, double pixels);

}  // namespace torsor
