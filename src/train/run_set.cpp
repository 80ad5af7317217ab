#include "train/run_set.h"

#include <atomic>

#include "core/files.h"
#include "core/parallel.h"
#include "io/run_directory.h"
#include "io/safetensors.h"
#include "model/placement.h"
#include "train/session.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

// What makes two configurations two different trainings: everything but where they run and lie.
Json identity_of(TrainConfig config) {
  config.run.out.clear();
  config.run.placement.device.clear();
  return options_to_json(config);
}

bool is_finished(const RunDirectory& run, std::int64_t steps) {
  std::error_code ec;
  if (!fs::exists(run.model(), ec)) return false;
  return read_model_info(read_safetensors_metadata(run.model()), run.model().string()).step >= steps;
}

void train_one(const TrainConfig& config, const RunSet& set) {
  use_threads(config.run.threads);
  const RunDirectory run(config.run.out);
  std::error_code ec;
  if (!fs::exists(run.config(), ec)) {
    TrainSession(config, set.log).run(set.stop, {});
    return;
  }
  const auto there = config_from_json(read_json(run.config()), run.config().string());
  if (identity_of(there) != identity_of(config))
    fail("{}: was trained with other settings; give another --out, or remove that folder",
         run.root().string());
  if (is_finished(run, config.run.steps)) return;
  if (run.list_checkpoints().empty()) {  // killed before its first
    TrainSession(config, set.log, Occupied::restart).run(set.stop, {});
    return;
  }
  ResumePoint point = open_resume_point(run.root(), *set.log);
  ResumedConfig resumed = resumed_config(point, {{"device", set.placement.device}});
  TrainSession(std::move(resumed), std::move(point), set.log).run(set.stop, {});
}

}  // namespace

fs::path run_folder(const fs::path& out, const std::string& arm, std::uint64_t seed) {
  return out / "runs" / fmt::format("{}-seed{}", arm, seed);
}

TrainConfig run_config(Json settings, const std::string& arm, std::uint64_t seed, const fs::path& out) {
  settings["seed"] = seed;
  settings["out"] = run_folder(out, arm, seed).string();
  const TrainConfig config = config_from_json(settings, "arm " + arm);
  config.validate();
  return config;
}

std::vector<Json> measure_runs(std::size_t arms, const RunSet& set,
                               const std::function<Json(std::size_t, std::uint64_t)>& measure) {
  const std::size_t seeds = set.seeds.size();
  std::vector<Json> runs(arms * seeds);
  in_parallel(runs.size(), set.stop,
              [&](std::size_t i) { runs[i] = measure(i / seeds, set.seeds[i % seeds]); });
  check_stop(set.stop);
  return runs;
}

void train_runs(std::vector<TrainConfig> configs, const RunSet& set) {
  for (TrainConfig& config : configs) {
    config.run.placement = set.placement;
    make_folder(fs::path(config.run.out).parent_path());
  }
  std::atomic<std::int64_t> done{0};
  in_parallel(configs.size(), set.stop, [&](std::size_t i) {
    train_one(configs[i], set);
    if (!set.stop.requested()) set.log->progress("trainings", ++done, std::ssize(configs));
  });
  check_stop(set.stop);
}

}  // namespace torsor
