// Whether a run is as fast as was estimated.
#pragma once

#include <memory>

#include "core/log.h"
#include "core/machine.h"
#include "train/trainer.h"

namespace torsor {

/// Warns once when steps take far longer than `expected` seconds each, with the likely reason: swapping, a
/// container's quota, other processes, or images that come too slowly.
class PaceWatch : public Observer {
 public:
  /// `look` says how the machine is used; one of a test's own may stand in.
  PaceWatch(
      double expected, const Loader& loader, std::shared_ptr<LogSink> log,
      std::function<MachineUse()> look = [] { return machine_use(); });
  std::string name() const override { return "pace"; }
  void on_start(const TrainState& state) override;
  void after_step(TrainState& state, const StepScalars& scalars) override;

 private:
  double expected_;
  const Loader& loader_;
  std::shared_ptr<LogSink> log_;
  std::function<MachineUse()> look_;
  MachineUse before_;  // at the stretch's beginning
  double waited_ = 0;
  std::int64_t steps_ = 0;
  bool warned_ = false;
};

}  // namespace torsor
