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

/// Watches a run: logs, samples, evaluates, checkpoints. One that remembers saves what it remembers, so that
/// a resumed run does not notice.
class Observer {
 public:
  virtual ~Observer() = default;

  /// Unique within a run, without '/': what the observer saves stands under it.
  virtual std::string name() const = 0;

  /// Before the first step of a session. An observer that writes a log drops what it wrote of steps after
  /// state.step (rewind_jsonl): a process that was killed got further than its last checkpoint.
  virtual void on_start(const TrainState& state) {}

  /// What publish() may add: names that neither the model's losses nor other observers have.
  virtual std::vector<std::string> scalar_names() const { return {}; }

  /// First after each step, in the order of add(): adds scalars, each step or now and then. All observers,
  /// the meters and the schedule then see them; the log writes a line for every step that has some.
  virtual void publish(const TrainState& state, StepScalars& scalars) {}

  /// When all have published, in the order of add().
  virtual void after_step(TrainState& state, const StepScalars& scalars) {}

  /// Once, when the last step is done or the run was stopped; changes nothing that save() writes, since a
  /// run that was not interrupted there has not been here.
  virtual void on_end(TrainState& state, EndReason reason) {}

  /// What the next session has to know, at the end of a step.
  virtual void save(ArchiveWriter& out) const {}

  /// What save() wrote. Not called where the checkpoint has nothing of this observer, as when the run was
  /// begun without it: it begins anew then.
  virtual void load(const ArchiveReader& in) {}
};

/// Where an observer of that name saves itself in a checkpoint.
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

  /// Throws std::logic_error when its name or one of its scalars' has been taken, or is none.
  void add(std::unique_ptr<Observer> observer);

  /// The one that writes checkpoints: it is called after all others, whenever they were added, so that what
  /// it saves is the end of a step for each of them. It publishes and remembers nothing.
  void set_checkpointer(std::unique_ptr<Observer> checkpointer) { checkpointer_ = std::move(checkpointer); }

  /// Trains until the state says finished or `stop` is requested (between two steps), beginning with rank 0's
  /// weights. Throws DivergedError on
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
