// Progress on the terminal, or plain lines when it is not one.
#pragma once

#include <iosfwd>

#include "train/trainer.h"

namespace torsor::app {

class Progress : public Observer {
 public:
  Progress(std::ostream& out, const Loader& loader);
  /// Plain lines that begin with `label`: one of several trainings that go on at a time.
  Progress(std::ostream& out, const Loader& loader, const std::string& label);
  void on_start(const TrainState& state) override;
  void after_step(TrainState& state, const StepReport& report) override;
  void on_end(TrainState& state, EndReason reason) override;

 private:
  std::string status(const TrainState& state) const;
  void announce_epoch(const TrainState& state);

  std::ostream& out_;
  const Loader& loader_;
  std::string label_;
  bool terminal_;
  double started_ = 0, shown_ = 0;
  std::int64_t first_step_ = 0;
  std::int64_t announced_epoch_ = -1;
};

}  // namespace torsor::app
