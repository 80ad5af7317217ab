// Several trainings that belong together, as the seeds of an experiment's arms: ordinary run directories,
// several at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/stop.h"
#include "model/placement.h"
#include "train/config.h"
#include "train/session.h"

namespace torsor {

/// What all trainings of a set have in common.
struct RunSet {
  std::vector<std::uint64_t> seeds;  // of each arm
  std::filesystem::path out;         // their folder
  std::shared_ptr<LogSink> log;
  const StopFlag& stop;
  PlacementOptions placement = {};
};

/// "0-4,7" -> 0,1,2,3,4,7. Throws UsageError naming `what` for anything else, a seed given twice, or more
/// than 1000 of them.
std::vector<std::uint64_t> parse_seeds(const std::string& text, const std::string& what);

/// OUT/runs/ARM-seedN.
std::filesystem::path run_folder(const std::filesystem::path& out, const std::string& arm,
                                 std::uint64_t seed);

/// An arm's training with this seed in its folder: `settings` are options of torsor train over its defaults.
/// Throws UsageError naming the arm for unusable ones.
TrainConfig run_config(Json settings, const std::string& arm, std::uint64_t seed,
                       const std::filesystem::path& out);

/// Options of a training that nobody watches, one of several at a time: one thread, no sample pictures, a
/// checkpoint every so many steps, of which the last is kept.
Json background_settings(std::int64_t checkpoint_every);

/// measure(arm, seed) of all arms 0 ... arms - 1 and the set's seeds, in this order, computed in parallel.
/// Throws StoppedError when a stop is requested.
std::vector<Json> measure_runs(std::size_t arms, const RunSet& set,
                               const std::function<Json(std::size_t arm, std::uint64_t seed)>& measure);

/// Throws Error where the run directory of `config` holds a run with other settings; where it runs (device,
/// threads) is none of them.
void require_same_run(const TrainConfig& config);

/// The training of `config` in its run directory: a new one, one that goes on where it stopped, or null where
/// it is finished. Throws as require_same_run() does.
std::unique_ptr<TrainSession> open_run(const TrainConfig& config, const std::shared_ptr<LogSink>& log);

/// Trains every configuration in its run directory, on the set's placement, as many at a time as there are
/// CPUs, so that each should use one thread; run.steps is their length. Existing runs are resumed where they
/// stopped, and finished ones left unchanged, on whatever device they were trained. Throws StoppedError when
/// a stop is requested, and Error for an existing run with other settings.
void train_runs(std::vector<TrainConfig> configs, const RunSet& set);

}  // namespace torsor
