// The one training loop. The model owns the mathematics of a step, the trainer owns time, observers do the
// rest. On several ranks each has a trainer: gradients and losses are means over all ranks, what observers
// publish and the length that they set are rank 0's, and a stop or a failure of one rank ends the run of all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/stop.h"
#include "data/loader.h"
#include "dist/context.h"
#include "model/model.h"
#include "train/schedule.h"
#include "train/state.h"

namespace torsor {

enum class EndReason { finished, stopped };

/// Observes a run: logs, samples, evaluates, checkpoints. One with state of its own saves it, so that a
/// resumed run equals an uninterrupted one.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Unique within a run, without '/': the prefix of what the observer saves.
  virtual std::string name() const = 0;

  /// Before the first step of a session. An observer that writes a log drops what it wrote of steps after
  /// state.step (rewind_jsonl): a process that was killed got further than its last checkpoint.
  virtual void on_start(const TrainState& state) {}

  /// What publish() may add: names that neither the model's losses nor other observers have.
  virtual std::vector<std::string> scalar_names() const { return {}; }

  /// Those of them that are better when greater; of the others the smaller is the better.
  virtual std::vector<std::string> rising_scalars() const { return {}; }

  /// Called first after each step, in the order of add(): adds scalars, at every step or at some. All
  /// observers, the meters and the schedule then see them; the log writes a line for every step that has
  /// some.
  virtual void publish(const TrainState& state, StepScalars& scalars) {}

  /// Called when all have published, in the order of add().
  virtual void after_step(TrainState& state, const StepScalars& scalars) {}

  /// Called once, when the last step is done or the run was stopped; changes nothing that save() writes,
  /// since an uninterrupted run does not call it at that step.
  virtual void on_end(TrainState& state, EndReason reason) {}

  /// Saves, at the end of a step, the state that the next session needs.
  virtual void save(ArchiveWriter& out) const {}

  /// Restores what save() wrote. Not called where the checkpoint has nothing of this observer, as when the
  /// run began without it: it then starts afresh.
  virtual void load(const ArchiveReader& in) {}
};

/// The prefix of an observer's state in a checkpoint.
std::string observer_prefix(const std::string& name);

/// A loss became NaN or infinite; the model is no longer usable, the last checkpoint is.
class DivergedError : public Error {
 public:
  using Error::Error;
};

class Trainer {
 public:
  Trainer(Model& model, Loader& loader, Schedule schedule, TrainState state, Context& context = single_rank())
      : model_(model),
        loader_(loader),
        schedule_(std::move(schedule)),
        state_(std::move(state)),
        context_(context) {}

  /// Throws std::logic_error when its name or one of its scalars' is in use or invalid.
  void add(std::unique_ptr<Observer> observer);

  /// The one that writes checkpoints: it is called after all others, whenever they were added, so that what
  /// it saves is the end of a step for each of them. It publishes nothing and has no state.
  void set_checkpointer(std::unique_ptr<Observer> checkpointer) { checkpointer_ = std::move(checkpointer); }

  /// Trains until the state says finished or `stop` is requested (between two steps), beginning with rank 0's
  /// weights. Throws DivergedError on
  /// a non-finite loss, naming step, loss, images and the last checkpoint; rethrows what data or observers
  /// throw.
  EndReason run(const StopFlag& stop);

  /// Sets the length of the schedule and of the run from now on.
  void set_length(std::int64_t epochs, std::int64_t epochs_decay, std::int64_t steps);

  /// As Schedule::set_rising().
  void set_rising(std::vector<std::string> scalars) { schedule_.set_rising(std::move(scalars)); }

  const TrainState& state() const { return state_; }
  const Schedule& schedule() const { return schedule_; }

  /// All that an exact continuation needs. Refuses (Error) to save weights that are not finite.
  void save(Archive& archive) const;
  void load(const Archive& archive);
  /// Restores the observers' state; to be called after the last add().
  void load_observers(const Archive& archive);
  /// Names the checkpoint that was loaded, for messages.
  void note_checkpoint(const std::string& path) { state_.last_checkpoint = path; }

 private:
  template <class Call>
  void call_observers(const Call& call);
  void step(StepContext& context);
  void publish(StepScalars& scalars);
  void share_length();

  Model& model_;
  Loader& loader_;
  Schedule schedule_;
  TrainState state_;
  Context& context_;
  std::vector<std::unique_ptr<Observer>> observers_;
  std::unique_ptr<Observer> checkpointer_;
};

}  // namespace torsor
