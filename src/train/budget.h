// Fitting a run into a time budget.
#pragma once

#include <functional>
#include <limits>

#include "train/estimate.h"
#include "train/trainer.h"

namespace torsor {

/// The cost of a setting, for fit_to_budget: measure_step, or a formula in a test.
using StepMeter = std::function<StepCost(const TrainConfig&, Trial)>;

/// Sets crop size, width, blocks and schedule (those not in `fixed`, the names the user gave) so that
/// training on `dataset_size` items ends within `seconds`, decay included: the largest setting of a list that
/// gets enough steps to learn, no larger than the preset's where there is one, and whose steps fit `room`
/// bytes of memory. Returns one line that says what was chosen and why. Throws UsageError when not even the
/// smallest fits, or the epochs that the user gave do not; `config` is then as it was.
std::string fit_to_budget(TrainConfig& config, double seconds, std::int64_t dataset_size,
                          const std::vector<std::string>& fixed, const StepMeter& measure = measure_step,
                          double room = std::numeric_limits<double>::infinity());

/// Seconds between two corrections, and at the most between checkpoints: a tenth of the budget, or 10
/// minutes.
double budget_interval(double budget);

/// Where a schedule ends.
struct Length {
  std::int64_t epochs = 0, epochs_decay = 0;  // of the whole schedule
  std::int64_t steps = 0;                     // of the run
  bool operator==(const Length&) const = default;
};

/// How long a schedule gets that has `steps_left` after `state`: epochs at the full rate while there are as
/// many to come as epochs that decay, and fewer of the latter once the rate has begun to fall.
Length corrected(const Length& now, const TrainState& state, std::int64_t steps_per_epoch,
                 std::int64_t steps_left);

/// Corrects the schedule's length every `interval` seconds, so that the run ends in time, and ends the run at
/// once when the budget is used up. The time of a step, with all that happens around it, is estimated from
/// recent steps. Checkpoints, which come after all observers, hold the corrected length.
class BudgetKeeper : public Observer {
 public:
  using Clock = std::function<double()>;  // seconds of the budget that are used up
  using Apply = std::function<void(const Length&)>;
  BudgetKeeper(double budget, double interval, std::int64_t steps_per_epoch, Length planned, Clock clock,
               Apply apply);
  /// The seconds that were used up by the time of a checkpoint; 0 where none were counted.
  static double used_before(const Archive& checkpoint);
  std::string name() const override { return kName; }
  void save(ArchiveWriter& out) const override;
  void on_start(const TrainState& state) override;
  void after_step(TrainState& state, const StepScalars& scalars) override;

 private:
  static constexpr const char* kName = "budget";
  double reserve() const;

  double budget_, interval_;
  std::int64_t steps_per_epoch_;
  Length length_;
  Clock clock_;
  Apply apply_;
  double last_step_ = 0, last_correction_ = 0;
  std::int64_t step_of_correction_ = 0;
  double quickest_ = 0, slowest_ = 0;  // steps, with what came between them
};

}  // namespace torsor
