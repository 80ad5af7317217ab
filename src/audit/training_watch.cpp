#include "audit/training_watch.h"

#include <algorithm>

namespace torsor {

void TrainingWatch::after_step(TrainState& state, const StepScalars&) {
  const std::int64_t every = std::max<std::int64_t>(1, state.total_steps / 100);
  if (state.step % every == 0 || state.finished()) to_.progress(what_, state.step, state.total_steps);
}

}  // namespace torsor
