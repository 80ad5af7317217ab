// Everything about time: the progress of a run, and all that an exact continuation needs in addition to the
// model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/rng.h"
#include "data/loader.h"
#include "io/archive.h"
#include "train/scalars.h"

namespace torsor {

/// Running means of scalars: over the current epoch and over the last finished one, and of the losses an
/// exponential moving average with memory of about 50 steps. The mean of what observers publish is over its
/// finite values in the epoch, however many.
class LossMeters {
 public:
  void add(const StepScalars& scalars);
  void end_epoch();
  /// Losses alone.
  const std::map<std::string, double>& smoothed() const { return smoothed_; }
  /// Empty before the first epoch's end; without what was not published in that epoch.
  const std::map<std::string, double>& last_epoch() const { return last_epoch_; }
  Json save() const;
  void load(const Json& saved);

 private:
  std::map<std::string, double> sums_, smoothed_, last_epoch_;
  std::int64_t steps_ = 0;                         // how often each loss is in its sum
  std::map<std::string, std::int64_t> published_;  // and each of the others
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
  /// Counts a finished step; `position` is the loader's after it.
  void advance(const LoaderPosition& position);
  /// Adds all scalars of that step to the meters; after an epoch's last step computes its means.
  void take(const StepScalars& scalars);

  void save(Archive& archive) const;
  void load(const Archive& archive);
};

}  // namespace torsor
