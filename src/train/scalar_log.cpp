#include "train/scalar_log.h"

namespace torsor {

void ScalarLog::after_step(TrainState& state, const StepScalars& scalars) {
  last_ = scalars;
  if (state.step % every_ == 0 || !scalars.published().empty()) write_once(state, scalars);
}

void ScalarLog::on_end(TrainState& state, EndReason) {
  if (state.step > 0 && written_step_ != state.step && !last_.losses().empty()) write_once(state, last_);
}

void ScalarLog::write_once(const TrainState& state, const StepScalars& scalars) {
  write(state, scalars);
  written_step_ = state.step;
}

}  // namespace torsor
