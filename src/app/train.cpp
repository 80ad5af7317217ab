// torsor train
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <optional>
#include <utility>

#include "app/commands.h"
#include "app/engine_report.h"
#include "app/progress.h"
#include "core/error.h"
#include "core/text.h"
#include "interchange/weight_source.h"
#include "train/budget.h"
#include "train/estimate.h"
#include "train/init_from.h"
#include "train/pace.h"
#include "train/session.h"

namespace torsor::app {

namespace {

using TrainProgram = Bound<TrainConfig>;

std::vector<std::string> given_names(const OptionSet& options) {
  std::vector<std::string> names;
  for (const Option& option : options.options())
    if (option.given()) names.push_back(option.name());
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What every layer of settings below the flags leaves alone.
void set_unless_given(TrainProgram& p, const Json& values, const std::string& where,
                      std::vector<std::string>& given) {
  for (const auto& [key, value] : values.items()) {
    if (contains(given, key)) continue;
    p.options.find(key)->set(value, where);
    given.push_back(key);
  }
}

// Defaults < preset < the networks of --init-from < config file < flags. Flags were parsed first, so they are
// taken aside and put back.
std::vector<std::string> resolve_layers(TrainProgram& p) {
  std::vector<std::string> given = given_names(p.options);
  Json flags = Json::object();
  for (const std::string& name : given) flags[name] = p.options.find(name)->value();
  if (!p.settings.run.config.empty()) {
    const Json file = read_json(p.settings.run.config);
    p.options.from_json(file, p.settings.run.config);
    for (const auto& [key, value] : file.items())
      if (!value.is_null() && !contains(given, key)) given.push_back(key);
    p.options.from_json(flags, "flags");
  }
  std::vector<std::string> set = given;
  const RunOptions run = p.settings.run;
  if (!run.init_from.empty())
    set_unless_given(p, network_options(open_weights(run.init_from)), "--init-from " + run.init_from, set);
  if (!run.preset.empty()) set_unless_given(p, train_preset(run.preset), "--preset " + run.preset, set);
  return given;
}

// Generated images are drawn at the size they are used in.
void adapt_to_data(TrainConfig& config, const std::vector<std::string>& given) {
  if (config.data.data.starts_with("generated:") && !contains(given, "load_size"))
    config.data.transform.load_size = config.data.transform.crop_size;
}

void print_configuration(const OptionSet& options) {
  std::string group;
  for (const Option& option : options.options()) {
    if (option.is_hidden()) continue;
    if (option.group() != group) {
      group = option.group();
      std::cout << group << '\n';
    }
    const Json value = option.value();
    const bool changed = value != option.default_value();
    std::cout << fmt::format(
        "  {:<20} {}{}\n", option.name(),
        value.is_null() || value == Json("") ? "-"
        : value.is_string()                  ? value.get<std::string>()
                                             : value.dump(),
        changed
            ? "   [default: " + (option.default_value().is_null() ? "-" : option.default_value().dump()) + "]"
            : "");
  }
}

void print_sizes(TrainSession& session) {
  const TrainData& data = session.data();
  std::cout << fmt::format("\n{}: {} images, {}: {} images\n", data.a.name, data.count_a, data.b.name,
                           data.count_b);
  for (const auto& [name, network] : session.model().networks())
    std::cout << fmt::format("{:<9} {} parameters\n", name, with_thousands(parameter_count(*network)));
  const IdentityTerm& id = session.model().identity();
  std::cout << (id.on() ? fmt::format("identity loss: {} mode, weights {} (a_to_b) and {} (b_to_a)\n",
                                      id.source ? "source" : "target", id.weight_a_to_b, id.weight_b_to_a)
                        : "identity loss: off\n");
}

void print_estimate(const TrainSession& session, const RunEstimate& estimate) {
  const std::int64_t steps = session.state().total_steps - session.state().step;
  std::cout << fmt::format(
      "estimate: {:.2g} s a step, {} to the end ({} steps, {} an epoch), {} MiB of memory\n\n",
      estimate.seconds_a_step(), human_duration(estimate.seconds_a_step() * static_cast<double>(steps)), steps,
      session.steps_per_epoch(), with_thousands(std::llround(estimate.memory().total() / (1024 * 1024))));
}

// What the run will take; refuses one that the machine's memory does not hold.
RunEstimate estimated(const TrainConfig& config, const TrainData& data) {
  if (config.run.threads > 0) at::set_num_threads(static_cast<int>(config.run.threads));
  const RunEstimate estimate(config, data, config.run.force ? MemoryRoom{HUGE_VAL, ""} : memory_room());
  estimate.require_room();
  return estimate;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void choose_budget(TrainConfig& config, const std::vector<std::string>& given,
                   const std::shared_ptr<LogSink>& log) {
  if (config.run.time_budget.empty()) return;
  const double seconds = parse_duration(config.run.time_budget, "--time-budget");
  if (config.run.threads > 0) at::set_num_threads(static_cast<int>(config.run.threads));
  const TrainData data = open_data(config, log);
  std::cout << fit_to_budget(config, seconds, std::max(data.count_a, data.count_b), given) << "\n\n"
            << std::flush;
}

struct Prepared {
  std::unique_ptr<TrainSession> session;
  std::optional<RunEstimate> estimate;  // none where nothing is left to do
};

Prepared begin(TrainProgram& p, const std::shared_ptr<LogSink>& log) {
  const std::vector<std::string> given = resolve_layers(p);
  TrainConfig& config = p.settings;
  adapt_to_data(config, given);
  config.validate();
  RunDirectory(config.run.out).require_free();  // before minutes go into a time budget's trials
  choose_budget(config, given, log);
  TrainData data = open_data(config, log);
  const RunEstimate estimate = estimated(config, data);
  return {std::make_unique<TrainSession>(config, log, std::move(data)), estimate};
}

Prepared go_on(TrainProgram& p, const std::shared_ptr<LogSink>& log) {
  const std::string run = p.settings.run.resume;
  Json flags = Json::object();
  for (const std::string& name : given_names(p.options))
    if (name != "resume") flags[name] = p.options.find(name)->value();
  if (flags.contains("out"))
    fail_usage("--out and --resume exclude each other: a run goes on in its own directory; leave --out out");
  ResumePoint point = open_resume_point(run, *log);
  ResumedConfig resumed = resumed_config(point, flags);
  p.options.from_json(options_to_json(resumed.config), "resumed run");
  std::cout << fmt::format("going on from {}, step {}\n", point.checkpoint.string(), point.info.step);
  resumed.config.validate();
  TrainData data = open_data(resumed.config, log);
  std::optional<RunEstimate> estimate = estimated(resumed.config, data);
  auto session = std::make_unique<TrainSession>(std::move(resumed), std::move(point), log, std::move(data));
  const TrainState& state = session->state();
  if (state.finished()) {
    estimate.reset();
    log->notice(fmt::format(
        "this run is complete: {} of {} steps are done; to go on give more --epochs, or --steps (0: to the "
        "schedule's end)",
        state.step, state.total_steps));
  }
  return {std::move(session), estimate};
}

// Says after the first step who computed what.
class PathReport : public Observer {
 public:
  explicit PathReport(Model& model) : networks_(model.networks()) {
    for (const auto& [name, network] : networks_) watch_engine(*network);
  }
  void after_step(TrainState&, const StepReport&) override {
    if (std::exchange(told_, true)) return;
    for (const auto& [name, network] : networks_) std::cout << engine_report(name, *network);
    std::cout << std::flush;
  }

 private:
  std::vector<NamedNetwork> networks_;
  bool told_ = false;
};

int train(const std::vector<std::string>&) {
  const Stopwatch since_start;
  TrainProgram& p = TrainProgram::instance();
  const auto log = std::make_shared<ConsoleLog>();
  const auto [session, estimate] = p.settings.run.resume.empty() ? begin(p, log) : go_on(p, log);
  print_configuration(p.options);
  print_sizes(*session);
  if (estimate) print_estimate(*session, *estimate);
  std::cout << std::flush;

  std::vector<std::unique_ptr<Observer>> extra;
  extra.push_back(std::make_unique<Progress>(std::cout, session->loader()));
  if (p.settings.run.verbose) extra.push_back(std::make_unique<PathReport>(session->model()));
  if (estimate)
    extra.push_back(std::make_unique<PaceWatch>(estimate->seconds_a_step(), session->loader(), log));
  const EndReason reason = session->run(stop_flag(), std::move(extra), since_start.seconds());
  if (engine_named(p.settings.run.placement.engine) == Engine::check)
    for (const auto& [name, network] : session->model().networks())
      std::cout << engine_report(name, *network);
  const RunDirectory directory = session->directory();
  if (reason == EndReason::stopped) {
    std::cout << fmt::format(
        "stopped after step {}; checkpoint: {}; the model as it is now: {}\nto go on: torsor train --resume "
        "{}\n",
        session->state().step, session->state().last_checkpoint, directory.model().string(),
        directory.root().string());
    return 128 + stop_flag().signal();
  }
  std::cout << fmt::format("done: {} steps\n  model    {}\n  samples  {}\n  log      {}\n",
                           session->state().step, directory.model().string(), directory.samples().string(),
                           directory.log().string());
  return 0;
}

}  // namespace

Command train_command() {
  return {"train",
          "Learn to translate between two folders of unpaired images",
          {},
          &TrainProgram::instance().options,
          train};
}

}  // namespace torsor::app
