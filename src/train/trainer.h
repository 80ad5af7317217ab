// The one training loop. The model owns the mathematics of a step, the trainer owns time, observers do the
// rest.
#pragma once

#include <memory>
#include <vector>

#include "core/stop.h"
#include "data/loader.h"
#include "model/model.h"
#include "train/schedule.h"
#include "train/state.h"

namespace torsor {

enum class EndReason { finished, stopped };

/// Watches a run: logs, samples, evaluates, checkpoints. One that remembers saves what it remembers.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_start(const TrainState& state) {}
  virtual void after_step(TrainState& state, const StepReport& report) {}
  virtual void on_end(TrainState& state, EndReason reason) {}
  virtual void save(Archive& archive) const {}
  virtual void load(const Archive& archive) {}
};

/// A loss became NaN or infinite; the model is no longer usable, the last checkpoint is.
class DivergedError : public Error {
 public:
  using Error::Error;
};

class Trainer {
 public:
  Trainer(Model& model, Loader& loader, Schedule schedule, TrainState state)
      : model_(model), loader_(loader), schedule_(std::move(schedule)), state_(std::move(state)) {}

  void add(std::unique_ptr<Observer> observer) { observers_.push_back(std::move(observer)); }

  /// Trains until the state says finished or `stop` is requested (between two steps). Throws DivergedError on
  /// a non-finite loss, naming step, loss, images and the last checkpoint; rethrows what data or observers
  /// throw.
  EndReason run(const StopFlag& stop);

  /// From now on the schedule is so long, and the run ends after so many steps.
  void set_length(std::int64_t epochs, std::int64_t epochs_decay, std::int64_t steps);

  const TrainState& state() const { return state_; }
  const Schedule& schedule() const { return schedule_; }

  /// All that an exact continuation needs. Refuses (Error) to save weights that are not finite.
  void save(Archive& archive) const;
  void load(const Archive& archive);
  /// What the observers remember; after the last add().
  void load_observers(const Archive& archive);
  /// Names the checkpoint that was loaded, for messages.
  void note_checkpoint(const std::string& path) { state_.last_checkpoint = path; }

 private:
  Model& model_;
  Loader& loader_;
  Schedule schedule_;
  TrainState state_;
  std::vector<std::unique_ptr<Observer>> observers_;
};

}  // namespace torsor
