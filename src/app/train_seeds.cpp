#include "app/train_seeds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "app/cli.h"
#include "app/train_flags.h"
#include "app/train_parts.h"
#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "core/shell.h"
#include "core/text.h"
#include "runs/run_record.h"
#include "train/run_set.h"

namespace torsor::app {

namespace {

enum class Ending { finished, stopped, diverged, alarm };

std::string seed_name(std::uint64_t seed) { return fmt::format("seed {}", seed); }

// Options that have a sense for one run alone.
void require_no_single_run(TrainProgram& p, const std::vector<std::string>& given) {
  static const std::map<std::string, std::string> reasons = {
      {"seed", "both name seeds; give one of them"},
      {"resume", "runs of several seeds are resumed by the command that began them; leave --resume out"},
      {"time_budget",
       "runs at the same time would disturb each other's clocks; give --epochs and --epochs-decay"}};
  for (const auto& [name, reason] : reasons)
    if (std::find(given.begin(), given.end(), name) != given.end())
      fail_usage("--seeds {} with {}: {}", p.settings.seeds, p.options.find(name)->flag(), reason);
  if (p.settings.restart)
    fail_usage(
        "--seeds {} with --restart: runs that ended before their first checkpoint begin again without it; "
        "leave "
        "it out",
        p.settings.seeds);
}

// Begins each line with its run's name.
class SeedLog : public LogSink {
 public:
  SeedLog(std::shared_ptr<LogSink> next, std::string name) : next_(std::move(next)), name_(std::move(name)) {}
  void notice(const std::string& line) override { next_->notice(name_ + ": " + line); }
  void warning(const std::string& line) override { next_->warning(name_ + ": " + line); }

 private:
  std::shared_ptr<LogSink> next_;
  std::string name_;
};

/// All runs as one piece of work.
class SeedsProgress {
 public:
  SeedsProgress(std::shared_ptr<ProgressDisplay> display, const std::vector<std::uint64_t>& seeds)
      : display_(std::move(display)), seeds_(seeds) {}

  // Steps of earlier sessions take no time of this one.
  void begin(std::uint64_t seed, const TrainState& state) {
    const std::lock_guard lock(mutex_);
    runs_[seed] = {state.step, state.total_steps};
    before_ += state.step;
    display_->start(before_);
  }
  // A run that takes no time of this session.
  void leave_out(std::uint64_t seed) {
    const std::lock_guard lock(mutex_);
    std::erase(seeds_, seed);
  }
  void note(std::uint64_t seed, const TrainState& state) {
    const std::lock_guard lock(mutex_);
    runs_[seed] = {state.step, state.total_steps};
    if (display_->is_due()) display_->update(progress());
  }

 private:
  struct Steps {
    std::int64_t done = 0, total = 0;
  };

  // Runs that have not begun are as long as the others.
  ProgressState progress() const {
    ProgressState out;
    std::int64_t longest = 0;
    for (const auto& [seed, steps] : runs_) longest = std::max(longest, steps.total);
    Json seeds = Json::object();
    std::vector<std::string> shares;
    for (const std::uint64_t seed : seeds_) {
      const auto found = runs_.find(seed);
      const Steps steps = found == runs_.end() ? Steps{0, longest} : found->second;
      out.done += steps.done;
      out.total += steps.total;
      seeds[std::to_string(seed)] = {{"done", steps.done}, {"total", steps.total}};
      if (found != runs_.end())
        shares.push_back(fmt::format("{} {} %", seed_name(seed),
                                     100 * steps.done / std::max<std::int64_t>(steps.total, 1)));
    }
    out.parts = {fmt::format("step {}/{}", out.done, out.total),
                 fmt::format("left {}", human_duration(display_->left(out)))};
    out.parts.insert(out.parts.end(), shares.begin(), shares.end());
    out.more = {{"seeds", seeds}};
    return out;
  }

  std::shared_ptr<ProgressDisplay> display_;
  std::vector<std::uint64_t> seeds_;
  std::mutex mutex_;
  std::map<std::uint64_t, Steps> runs_;
  std::int64_t before_ = 0;
};

/// Tells the progress, and passes the command's stop on to the run, which an alarm can stop alone.
class SeedObserver : public Observer {
 public:
  SeedObserver(SeedsProgress& progress, std::uint64_t seed, StopFlag& stop)
      : progress_(progress), seed_(seed), stop_(stop) {}
  std::string name() const override { return "seeds"; }
  void on_start(const TrainState& state) override { progress_.begin(seed_, state); }
  void after_step(TrainState& state, const StepScalars&) override {
    progress_.note(seed_, state);
    if (stop_flag().requested()) stop_.request(stop_flag().signal());
  }

 private:
  SeedsProgress& progress_;
  std::uint64_t seed_;
  StopFlag& stop_;
};

struct SeedRun {
  std::uint64_t seed = 0;
  TrainConfig config;
  Ending ending = Ending::stopped;
  std::string failure = {};  // of one that diverged
};

std::vector<SeedRun> planned_runs(const TrainProgram& p) {
  const TrainConfig& config = p.settings.config;
  std::error_code ec;
  if (fs::exists(RunDirectory(config.run.out).config(), ec))
    fail("--out {}: is the directory of a run; name another folder for the runs of several seeds",
         config.run.out);
  std::vector<SeedRun> out;
  for (const std::uint64_t seed : parse_seeds(p.settings.seeds, "--seeds")) {
    if (seed > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      fail_usage("--seeds {}: {} is larger than --seed may be", p.settings.seeds, seed);
    SeedRun run{seed, config};
    run.config.run.seed = static_cast<std::int64_t>(seed);
    run.config.run.out = (fs::path(config.run.out) / fmt::format("seed-{}", seed)).string();
    out.push_back(std::move(run));
  }
  return out;
}

// How many at a time, and threads for each, which it sets.
std::size_t share_machine(std::vector<SeedRun>& runs, const std::shared_ptr<LogSink>& log) {
  const std::int64_t processors = usable_processors(), count = std::ssize(runs);
  std::int64_t threads = runs.front().config.run.threads;
  if (threads == 0) threads = std::max<std::int64_t>(processors / count, 1);
  for (SeedRun& run : runs) run.config.run.threads = threads;
  const TrainConfig& first = runs.front().config;
  const MemoryRoom room = room_for(first);
  use_threads(threads);
  const RunEstimate estimate(first, open_data(first, log), room, Timing::none);
  estimate.require_room();
  if (resolve_placement(first.run.placement).device.is_cuda()) return 1;
  const double fitting = room.bytes / estimate.memory().total();
  const auto at_a_time = std::min({static_cast<double>(std::max<std::int64_t>(processors / threads, 1)),
                                   static_cast<double>(count), std::max(fitting, 1.0)});
  return static_cast<std::size_t>(at_a_time);
}

void train_one(SeedRun& run, SeedsProgress& progress, const std::shared_ptr<LogSink>& console) {
  const auto log = std::make_shared<NoticeLog>(std::make_shared<SeedLog>(console, seed_name(run.seed)));
  const std::unique_ptr<TrainSession> session = open_run(run.config, log);
  if (session == nullptr) {
    log->notice("was finished before");
    progress.leave_out(run.seed);
    run.ending = Ending::finished;
    return;
  }
  StopFlag stop;
  bool alarm = false;
  std::vector<std::unique_ptr<Observer>> extra = run_observers(*session, log, [&] {
    alarm = true;
    stop.request();
  });
  extra.push_back(std::make_unique<SeedObserver>(progress, run.seed, stop));
  try {
    const EndReason reason = run_with_report(*session, stop, std::move(extra), *log);
    run.ending = reason == EndReason::finished ? Ending::finished : alarm ? Ending::alarm : Ending::stopped;
  } catch (const DivergedError& error) {
    run.ending = Ending::diverged;
    run.failure = error.what();
  }
}

const char* ending_text(Ending ending) {
  switch (ending) {
    case Ending::finished:
      return "finished";
    case Ending::stopped:
      return "stopped";
    case Ending::diverged:
      return "diverged";
    case Ending::alarm:
      return "ended by an alarm";
  }
  return "";
}

// The last values of a run's metrics.
Json last_metrics(const RunRecord& record) {
  Json out = Json::object();
  for (const ScalarSeries& scalar : record.log.scalars)
    if (!record.is_loss(scalar.name) && scalar.name != kLearningRate && scalar.size() > 0)
      out[scalar.name] = scalar.values.back();
  return out;
}

Json summary_of(const std::vector<SeedRun>& runs) {
  Json out = Json::array();
  for (const SeedRun& run : runs) {
    Json one = {{"seed", run.seed}, {"run", run.config.run.out}, {"ending", ending_text(run.ending)}};
    std::error_code ec;
    if (fs::exists(RunDirectory(run.config.run.out).log(), ec)) {
      const RunRecord record = read_run(run.config.run.out);
      one["step"] = record.log.last_step;
      one["metrics"] = last_metrics(record);
    }
    out.push_back(std::move(one));
  }
  return out;
}

// "kid_a_to_b: mean 0.1532, 0.1498 to 0.1571": of those that have the metric.
std::vector<std::string> metric_lines(const Json& summary) {
  std::map<std::string, std::vector<double>> values;
  for (const Json& run : summary)
    if (run.contains("metrics"))
      for (const auto& [name, value] : run.at("metrics").items())
        if (std::isfinite(value.get<double>())) values[name].push_back(value.get<double>());
  std::vector<std::string> out;
  for (const auto& [name, all] : values) {
    double sum = 0;
    for (const double value : all) sum += value;
    const auto [least, largest] = std::minmax_element(all.begin(), all.end());
    out.push_back(fmt::format("{}: mean {:.4g} of {} runs, {:.4g} to {:.4g}", name,
                              sum / static_cast<double>(all.size()), all.size(), *least, *largest));
  }
  return out;
}

int exit_code(const std::vector<SeedRun>& runs) {
  if (stop_flag().requested()) return 128 + stop_flag().signal();
  const auto any = [&](Ending ending) {
    return std::any_of(runs.begin(), runs.end(), [&](const SeedRun& run) { return run.ending == ending; });
  };
  return any(Ending::diverged) ? 1 : any(Ending::alarm) ? kEndedByAlarm : 0;
}

void say_end(const std::vector<SeedRun>& runs, ProgressDisplay& display) {
  display.close();
  const Json summary = summary_of(runs);
  display.report({{"event", "end"}, {"runs", summary}});
  std::string all;
  for (const SeedRun& run : runs) {
    display.say(fmt::format("{}: {}, {}", seed_name(run.seed), ending_text(run.ending), run.config.run.out));
    if (!run.failure.empty())
      display.say_aside(fmt::format("torsor: {}: {}", seed_name(run.seed), run.failure));
    all += " " + shell_word(run.config.run.out);
  }
  for (const std::string& line : metric_lines(summary)) display.say(line);
  if (stop_flag().requested())
    display.say("to go on, give the same command again");
  else
    display.say("to compare them: torsor report" + all);
}

}  // namespace

int train_seeds(TrainProgram& p, const std::shared_ptr<ProgressDisplay>& display) {
  const std::vector<std::string> given_as_flags = given_names(p);
  require_no_single_run(p, resolve_layers(p));
  p.settings.config.validate();
  require_sense(p.options, given_as_flags);
  std::vector<SeedRun> runs = planned_runs(p);
  require_writable(p.settings.config.run.out);
  for (const SeedRun& run : runs) require_same_run(run.config);

  const auto log = std::make_shared<ConsoleLog>(display);
  say_configuration(p, *display);
  const std::size_t at_a_time = share_machine(runs, log);
  display->say(fmt::format("\n{} runs, {} at a time, threads for each: {}", runs.size(), at_a_time,
                           runs.front().config.run.threads));
  std::vector<std::uint64_t> seeds;
  for (const SeedRun& run : runs) seeds.push_back(run.seed);
  make_folder(p.settings.config.run.out);
  SeedsProgress progress(display, seeds);
  in_parallel(
      runs.size(), stop_flag(), [&](std::size_t i) { train_one(runs[i], progress, log); }, at_a_time);
  say_end(runs, *display);
  return exit_code(runs);
}

}  // namespace torsor::app
