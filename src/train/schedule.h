// Learning-rate policies: a factor per epoch for all optimisers.
#pragma once

#include <memory>
#include <string>

#include "core/options.h"
#include "train/state.h"

namespace torsor {

struct ScheduleOptions {
  std::int64_t epochs = 100;
  std::int64_t epochs_decay = 100;
  std::string lr_policy = "linear";
  std::int64_t lr_decay_epochs = 50;
  std::string plateau_loss = "cycle_a";

  void describe(OptionSet& o);
  void validate() const;
  std::int64_t total() const { return epochs + epochs_decay; }
};

/// With e = finished epochs, n = epochs, d = epochs_decay:
/// linear: 1 - max(0, e + 1 - n)/(d + 1), the reference's current formula: epochs 1..n at full rate, the last
/// at 1/(d+1); linear_from_start: 1 - (e + 1)/(n + d + 1), the same with n = 0 (S1-E3a); constant: 1; step:
/// 0.1^(e div lr_decay_epochs); cosine: (1 + cos(pi e/(n + d)))/2, once down over the whole run (the
/// reference's rises again after n epochs); plateau: times 0.2 when the epoch mean of plateau_loss has not
/// fallen by 1 % for more than 5 epochs. plateau_loss is a loss of the model or a scalar that an observer
/// publishes, the smaller the better; one that is not published at every step counts with
/// its mean over the epoch, and an epoch without any is ignored. Of scalars that observers call rising, the
/// greater is the better. The 1 % are of the best value, whatever its sign.
class Schedule {
 public:
  explicit Schedule(ScheduleOptions options) : options_(std::move(options)) {}
  /// Throws UsageError when plateau_loss is none of these, the scalars that a run will have.
  void check_losses(const std::vector<std::string>& names) const;

  /// Scalars that are better when greater.
  void set_rising(std::vector<std::string> names) { rising_ = std::move(names); }

  /// The factor for epoch `epoch` (from 0) of the stateless policies.
  double factor_at(std::int64_t epoch) const;

  /// Sets the rate of every optimiser for the state's epoch and notes it in the state.
  void apply(TrainState& state, const std::vector<Optimizer*>& optimizers);

  /// Epochs at the full rate, and those that follow.
  void set_length(std::int64_t epochs, std::int64_t epochs_decay) {
    options_.epochs = epochs;
    options_.epochs_decay = epochs_decay;
  }

  const ScheduleOptions& options() const { return options_; }
  Json save() const;
  void load(const Json& saved);

 private:
  double plateau_factor(const TrainState& state);
  bool is_better(double value) const;

  ScheduleOptions options_;
  std::vector<std::string> rising_;
  std::int64_t seen_epoch_ = 0;  // plateau: epochs already evaluated
  double factor_ = 1;
  double best_ = 0;
  bool has_best_ = false;
  std::int64_t bad_epochs_ = 0;
};

}  // namespace torsor
