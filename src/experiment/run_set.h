// Trainings of an experiment: ordinary run directories, several at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiment/reproduction.h"
#include "train/config.h"

namespace torsor {

/// Options of torsor train over its defaults. Throws UsageError naming `what` for unusable ones.
TrainConfig run_config(const Json& settings, const std::string& what);

/// Calls job(0) ... job(count - 1), as many at a time as there are cores. Throws StoppedError when a stop is
/// requested, and what the first job that failed threw.
void in_parallel(std::size_t count, const StopFlag& stop, const std::function<void(std::size_t)>& job);

/// Trains every configuration in its run directory, on the device of the request, as many at a time as there
/// are cores, so that each should ask for one thread; run.steps says when it ends. Runs that are there are
/// taken up where they stopped. Throws StoppedError, and Error for a run that is there with other settings.
void train_runs(std::vector<TrainConfig> configs, const Request& request);

}  // namespace torsor
