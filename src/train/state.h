// Everything about time: how far a run is, and all that an exact continuation needs beside the model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/rng.h"
#include "data/loader.h"
#include "io/archive.h"
#include "model/model.h"

namespace torsor {

/// Running figures of the losses: over the current epoch, over the last finished one, and an exponential
/// moving average with memory of about 50 steps.
class LossMeters {
 public:
  void add(const StepReport& report);
  void end_epoch();
  const std::map<std::string, double>& smoothed() const { return smoothed_; }
  const std::map<std::string, double>& last_epoch() const {
    return last_epoch_;
  }  // empty before the first end
  Json save() const;
  void load(const Json& saved);

 private:
  std::map<std::string, double> sums_, smoothed_, last_epoch_;
  std::int64_t steps_ = 0;
};

struct TrainState {
  explicit TrainState(std::uint64_t seed) : rng(seed) {}

  std::int64_t step = 0;         // finished steps
  std::int64_t total_steps = 0;  // the run ends here
  std::int64_t epoch = 0;        // of the next batch, from 0
  std::int64_t step_epoch = 0;   // of the last finished step, from 0
  std::int64_t epochs = 0;       // of the whole schedule
  double lr = 0;                 // in force
  RngStreams rng;
  LoaderPosition loader;  // next batch
  LossMeters meters;
  std::string last_checkpoint;  // path, "" before the first; not saved

  bool finished() const { return step >= total_steps; }
  /// Counts a finished step; `position` is where the loader stands after it.
  void advance(const StepReport& report, const LoaderPosition& position);

  void save(Archive& archive) const;
  void load(const Archive& archive);
};

}  // namespace torsor
