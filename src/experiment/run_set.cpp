#include "experiment/run_set.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "core/files.h"
#include "io/run_directory.h"
#include "io/safetensors.h"
#include "train/session.h"

namespace torsor {

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

void train_one(const TrainConfig& config, const Request& request) {
  const RunDirectory run(config.run.out);
  std::error_code ec;
  if (!fs::exists(run.config(), ec)) {
    TrainSession(config, request.log).run(request.stop, {});
    return;
  }
  const auto there = config_from_json(read_json(run.config()), run.config().string());
  if (identity_of(there) != identity_of(config))
    fail("{}: was trained with other settings; give another --out, or remove that folder",
         run.root().string());
  if (is_finished(run, config.run.steps)) return;
  if (run.list_checkpoints().empty()) {  // killed before its first
    TrainSession(config, request.log, Occupied::restart).run(request.stop, {});
    return;
  }
  ResumePoint point = open_resume_point(run.root(), *request.log);
  ResumedConfig resumed = resumed_config(point, {{"device", request.placement.device}});
  TrainSession(std::move(resumed), std::move(point), request.log).run(request.stop, {});
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

void in_parallel(std::size_t count, const StopFlag& stop, const std::function<void(std::size_t)>& job) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (std::size_t i = next++; i < count && !stop.requested() && !failed; i = next++) try {
        job(i);
      } catch (...) {
        failed = true;
        throw;
      }
  };
  const std::size_t jobs = std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), count);
  std::vector<std::future<void>> workers;
  for (std::size_t k = 0; k < jobs; ++k) workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.wait();
  for (auto& worker : workers) worker.get();
  check_stop(stop);
}

std::vector<Json> measure_runs(std::size_t arms, const Request& request,
                               const std::function<Json(std::size_t, std::uint64_t)>& measure) {
  const std::size_t seeds = request.seeds.size();
  std::vector<Json> runs(arms * seeds);
  in_parallel(runs.size(), request.stop,
              [&](std::size_t i) { runs[i] = measure(i / seeds, request.seeds[i % seeds]); });
  return runs;
}

void train_runs(std::vector<TrainConfig> configs, const Request& request) {
  for (TrainConfig& config : configs) {
    config.run.placement = request.placement;
    make_folder(fs::path(config.run.out).parent_path());
  }
  std::atomic<std::int64_t> done{0};
  in_parallel(configs.size(), request.stop, [&](std::size_t i) {
    train_one(configs[i], request);
    if (!request.stop.requested()) request.log->progress("trainings", ++done, std::ssize(configs));
  });
}

}  // namespace torsor
