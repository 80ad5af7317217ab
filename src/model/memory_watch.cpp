#include "model/memory_watch.h"

#include <c10/core/Allocator.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>

namespace torsor {

namespace {

double given_out() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

}  // namespace

class MemoryWatch::Reporter : public c10::MemoryReportingInfoBase {
 public:
  explicit Reporter(bool on_cpu) : on_cpu_(on_cpu), start_(on_cpu ? given_out() : 0) {}
  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device device) override {
    if (device.is_cpu() != on_cpu_) return;
    tensors_ += bytes;
    if (bytes <= 0) return;
    const double value = now();
    double seen = peak_.load();
    while (value > seen && !peak_.compare_exchange_weak(seen, value)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }
  double now() const {
    const auto tensors = static_cast<double>(tensors_.load());
    return on_cpu_ ? std::max(tensors, given_out() - start_) : tensors;
  }
  double peak() const { return peak_.load(); }
  void begin_peak() { peak_ = now(); }

 private:
  bool on_cpu_;
  double start_;
  std::atomic<std::int64_t> tensors_{0};
  std::atomic<double> peak_{0};
};

MemoryWatch::MemoryWatch(const Placement& placement)
    : reporter_(std::make_shared<Reporter>(placement.device.is_cpu())),
      guard_(c10::DebugInfoKind::PROFILER_STATE, reporter_) {}
MemoryWatch::~MemoryWatch() = default;

double MemoryWatch::now() const { return reporter_->now(); }
double MemoryWatch::peak() const { return reporter_->peak(); }
void MemoryWatch::begin_peak() { reporter_->begin_peak(); }

double carried_on(const MeasuredAt& first, const MeasuredAt& second, double pixels) {
  const double slope = (second.value - first.value) / (second.pixels - first.pixels);
  return std::max(first.value, first.value + slope * (pixels - first.pixels));
}

}  // namespace torsor
