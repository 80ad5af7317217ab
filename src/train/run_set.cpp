#include "train/run_set.h"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "io/run_directory.h"
#include "io/safetensors.h"
#include "model/placement.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxSeeds = 1000;

// What makes two configurations two different trainings: everything but where they run and lie.
Json identity_of(TrainConfig config) {
  config.run.out.clear();
  config.run.placement.device.clear();
  config.run.threads = 0;
  return options_to_json(config);
}

// Whether that is known without opening the images: the length of a schedule in epochs depends on their
// number.
bool is_finished(const RunDirectory& run, std::int64_t steps) {
  if (steps == 0) return false;
  std::error_code ec;
  if (!fs::exists(run.model(), ec)) return false;
  return read_model_info(read_safetensors_metadata(run.model()), run.model().string()).step >= steps;
}

// One number of a list of seeds.
std::uint64_t seed_number(std::string_view text, const std::string& all, const std::string& what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    fail_usage("{} {}: expected seeds such as 0-4 or 3,8", what, all);
  return value;
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text, const std::string& what) {
  std::vector<std::uint64_t> seeds;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string_view part = std::string_view(text).substr(start, comma - start);
    const std::size_t dash = part.find('-');
    const std::uint64_t first = seed_number(part.substr(0, dash), text, what);
    const std::uint64_t last =
        dash == std::string_view::npos ? first : seed_number(part.substr(dash + 1), text, what);
    if (last < first)
      fail_usage("{} {}: {} comes before {}; write {}-{}", what, text, last, first, last, first);
    if (last - first >= kMaxSeeds || seeds.size() + (last - first) >= kMaxSeeds)
      fail_usage("{} {}: more than {} seeds", what, text, kMaxSeeds);
    for (std::uint64_t k = 0; k <= last - first; ++k) {
      if (std::find(seeds.begin(), seeds.end(), first + k) != seeds.end())
        fail_usage("{} {}: {} is given twice", what, text, first + k);
      seeds.push_back(first + k);
    }
    start = comma + 1;
  }
  return seeds;
}

fs::path run_folder(const fs::path& out, const std::string& arm, std::uint64_t seed) {
  return out / "runs" / fmt::format("{}-seed{}", arm, seed);
}

TrainConfig run_config(Json settings, const std::string& arm, std::uint64_t seed, const fs::path& out) {
  settings["seed"] = seed;
  settings["out"] = run_folder(out, arm, seed).string();
  TrainConfig config = config_from_json(settings, "arm " + arm);
  config.read_files();
  config.validate();
  return config;
}

Json background_settings(std::int64_t checkpoint_every) {
  return {{"threads", 1},
          {"loader_threads", 1},
          {"sample_every", 0},
          {"checkpoint_every", std::to_string(checkpoint_every)},
          {"keep_last", 1}};
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

void require_same_run(const TrainConfig& config) {
  const RunDirectory run(config.run.out);
  std::error_code ec;
  if (!fs::exists(run.config(), ec)) return;
  const auto there = config_from_json(read_json(run.config()), run.config().string());
  if (identity_of(there) != identity_of(config))
    fail("{}: was trained with other settings; give another --out, or remove that folder",
         run.root().string());
}

std::unique_ptr<TrainSession> open_run(const TrainConfig& config, const std::shared_ptr<LogSink>& log) {
  use_threads(config.run.threads);
  const RunDirectory run(config.run.out);
  std::error_code ec;
  if (!fs::exists(run.config(), ec)) return std::make_unique<TrainSession>(config, log);
  require_same_run(config);
  if (is_finished(run, config.run.steps)) return nullptr;
  if (run.list_checkpoints().empty())  // killed before its first
    return std::make_unique<TrainSession>(config, log, Occupied::restart);
  ResumePoint point = open_resume_point(run.root(), *log);
  ResumedConfig resumed = resumed_config(point, {{"device", config.run.placement.device}});
  auto session = std::make_unique<TrainSession>(std::move(resumed), std::move(point), log);
  // One that was killed between its last step and its model writes the model.
  return is_finished(run, session->state().total_steps) ? nullptr : std::move(session);
}

void train_runs(std::vector<TrainConfig> configs, const RunSet& set) {
  for (TrainConfig& config : configs) {
    config.run.placement = set.placement;
    make_folder(fs::path(config.run.out).parent_path());
  }
  std::atomic<std::int64_t> done{0};
  in_parallel(configs.size(), set.stop, [&](std::size_t i) {
    if (const auto session = open_run(configs[i], set.log)) session->run(set.stop, {});
    if (!set.stop.requested()) set.log->progress("trainings", ++done, std::ssize(configs));
  });
  check_stop(set.stop);
}

}  // namespace torsor
