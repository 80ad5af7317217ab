// The log that TensorBoard shows.
#pragma once

#include <optional>
#include <string>

#include "io/run_directory.h"
#include "telemetry/event_file.h"
#include "train/observers.h"
#include "train/scalar_log.h"

namespace torsor {

/// Event files in the run directory: at the steps of JsonlLog the losses under "loss/", what observers
/// published under "metric/", and "lr"; sample grids under "samples"; the options under "configuration". Each
/// session has a file of its own, and events of steps that are repeated are set aside: no step is there
/// twice.
class TensorBoardLog : public ScalarLog {
 public:
  /// `configuration` is Markdown.
  TensorBoardLog(RunDirectory run, std::int64_t every, std::string configuration);
  std::string name() const override { return "tensorboard"; }
  /// Throws Error when the file cannot be written.
  void on_start(const TrainState& state) override;
  /// Once a step.
  void add(const SamplePicture& picture);

 private:
  void write(const TrainState& state, const StepScalars& scalars) override;
  EventFile& file();

  RunDirectory run_;
  std::string configuration_;
  std::optional<EventFile> file_;
  std::int64_t picture_step_ = -1;
};

/// Sets the events of steps after `step` aside, as those of a run that goes on from there; hands the others
/// to `kept`. Throws Error.
void rewind_event_files(
    const RunDirectory& run, std::int64_t step, const EventSink& kept = [](const EventHead&) {});

}  // namespace torsor
