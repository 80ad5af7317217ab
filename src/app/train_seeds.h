// torsor train --seeds: one configuration, a run for each seed.
#pragma once

#include <memory>

#include "app/progress.h"
#include "app/train_program.h"

namespace torsor::app {

/// Trains the program's configuration once for each of its seeds, in OUT/seed-N, as many at a time as
/// processors (by
/// --threads each; 0: an equal share) and memory allow. Runs that are there go on where they stopped,
/// finished ones stay as they are. A run that diverges or is ended by an alarm does not end the others.
/// Returns the exit code: 0 when all are finished, 1 when one has diverged, 3 when an alarm has ended one,
/// 128 + the signal when stopped. Throws UsageError for options of a single run, and Error for a run with
/// other settings, before anything is trained.
int train_seeds(TrainProgram& program, const std::shared_ptr<ProgressDisplay>& display);

}  // namespace torsor::app
