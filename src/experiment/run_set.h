// Trainings of an experiment: ordinary run directories, several at a time.
#pragma once

#include <string>
#include <vector>

#include "experiment/reproduction.h"
#include "train/config.h"

namespace torsor {

/// Options of torsor train over its defaults. Throws UsageError naming `what` for unusable ones.
TrainConfig run_config(const Json& settings, const std::string& what);

/// Trains every configuration in its run directory, as many at a time as there are cores, so that each should
/// ask for one thread; run.steps says when it ends. Runs that are there are taken up where they stopped. Throws StoppedError, and Error
/// for a run that is there with other settings.
void train_runs(const std::vector<TrainConfig>& configs, const Request& request);

}  // namespace torsor
