// What all logs of scalars have in common: the steps that they hold.
#pragma once

#include <cstdint>

#include "train/trainer.h"

namespace torsor {

/// Writes every `every` steps, after each step for which an observer published something, and at the end,
/// each step once.
class ScalarLog : public Observer {
 public:
  explicit ScalarLog(std::int64_t every) : every_(every) {}
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void on_end(TrainState& state, EndReason reason) override;

 private:
  virtual void write(const TrainState& state, const StepScalars& scalars) = 0;
  void write_once(const TrainState& state, const StepScalars& scalars);

  std::int64_t every_;
  StepScalars last_;
  std::int64_t written_step_ = -1;
};

}  // namespace torsor
