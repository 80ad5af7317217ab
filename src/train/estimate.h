// The cost of a training run, estimated before it begins from small steps of a temporary model.
#pragma once

#include <string>

#include "core/machine.h"
#include "train/config.h"
#include "train/train_data.h"
#include "train/trial.h"

namespace torsor {

struct StepCost {
  double seconds = 0;        // one step
  double bytes = 0;          // the peak memory: weights, gradients, moments, activations, kernels'
  std::int64_t batches = 1;  // that a step pulls
};

enum class Trial {
  scaled,  // from small images, extrapolated to the size: quick, seconds within some 30 %
  full     // at the size itself
};

/// Runs steps of a temporary model with this configuration on random images of the crop size; without timing
/// `seconds` is 0.
StepCost try_step(const TrainConfig& config, Trial trial, Timing timing);

/// try_step() with its timing.
StepCost measure_step(const TrainConfig& config, Trial trial);

/// The peak memory of the run's process by its parts, in bytes.
struct RunMemory {
  double program = 0;  // with its libraries, as it is between steps of a trial
  double weights = 0;  // with gradients, moments, and what kernels keep
  double images = 0;   // prefetched, shown in sample grids, kept in the history
  double passing = 0;  // activations of a step, or of a sample grid: the larger
  double copies = 0;   // that a checkpoint makes, in addition to what malloc keeps of the former
  double total() const { return program + weights + images + passing + copies; }
};

/// The cost of one configuration's run, and of others that differ in size alone.
class RunEstimate {
 public:
  /// Tries small images first, so that it takes no more memory than the run would. Weights that alone exceed
  /// `room` are not tried. Throws UsageError for unusable options.
  RunEstimate(const TrainConfig& config, const TrainData& data, const MemoryRoom& room,
              Timing timing = Timing::steps);

  double seconds_a_step() const;  // 0 when none was timed
  /// The resident set at its largest (on a GPU: the tensors there, and there is no `program`).
  RunMemory memory() const { return memory_of(config_); }
  /// Throws UsageError with the numbers, and with what would fit, when the run needs more than `room`.
  void require_room() const;

 private:
  RunMemory memory_of(const TrainConfig& config) const;
  std::string what_fits() const;
  bool fits(const TrainConfig& config, double share_of_room) const;

  TrainConfig config_;
  std::int64_t items_;  // of an epoch
  Size image_;          // of a step
  MemoryRoom room_;
  double already_ = 0;  // resident when `room` was asked
  bool on_cpu_ = true;
  double program_ = 0;
  std::vector<StepTrial> trials_;  // one or two, by size; none when not even the weights fit
};

}  // namespace torsor
