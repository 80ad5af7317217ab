// What a training run says of its course.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/progress.h"
#include "train/trainer.h"

namespace torsor::app {

/// Epoch, step, pace and losses of one run, and the last values that observers published; the learning rate
/// and the means of the losses once an epoch.
class TrainProgress : public Observer {
 public:
  TrainProgress(std::shared_ptr<ProgressDisplay> display, const Loader& loader)
      : display_(std::move(display)), loader_(loader) {}
  std::string name() const override { return "progress"; }
  void on_start(const TrainState& state) override;
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void on_end(TrainState& state, EndReason reason) override;

 private:
  ProgressState progress(const TrainState& state) const;
  void announce_epoch(const TrainState& state);

  std::shared_ptr<ProgressDisplay> display_;
  const Loader& loader_;
  std::int64_t announced_epoch_ = -1;
  std::map<std::string, double> published_;
};

}  // namespace torsor::app
