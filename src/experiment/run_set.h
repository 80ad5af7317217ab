// Trainings of an experiment: ordinary run directories, several at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "experiment/reproduction.h"
#include "train/config.h"

namespace torsor {

/// OUT/runs/ARM-seedN.
std::filesystem::path run_folder(const std::filesystem::path& out, const std::string& arm,
                                 std::uint64_t seed);

/// An arm's training with this seed in its folder: `settings` are options of torsor train over its defaults.
/// Throws UsageError naming the arm for unusable ones.
TrainConfig run_config(Json settings, const std::string& arm, std::uint64_t seed,
                       const std::filesystem::path& out);

/// Calls job(0) ... job(count - 1), as many at a time as there are cores. Throws StoppedError when a stop is
/// requested, and what one of the jobs threw, after which no further one is begun.
void in_parallel(std::size_t count, const StopFlag& stop, const std::function<void(std::size_t)>& job);

/// measure(arm, seed) of all arms 0 ... arms - 1 and seeds, in this order, computed in parallel.
std::vector<Json> measure_runs(std::size_t arms, const Request& request,
                               const std::function<Json(std::size_t arm, std::uint64_t seed)>& measure);

/// Trains every configuration in its run directory, on the device of the request, as many at a time as there
/// are cores, so that each should ask for one thread; run.steps says when it ends. Runs that are there are
/// taken up where they stopped, finished ones as they are, on whatever device they were trained. Throws
/// StoppedError, and Error for a run that is there with other settings.
void train_runs(std::vector<TrainConfig> configs, const Request& request);

}  // namespace torsor
