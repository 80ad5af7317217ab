// torsor train
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <sstream>
#include <utility>

#include "app/command_text.h"
#include "app/commands.h"
#include "app/engine_report.h"
#include "app/progress.h"
#include "app/train_flags.h"
#include "app/train_parts.h"
#include "app/train_program.h"
#include "app/train_progress.h"
#include "app/train_seeds.h"
#include "core/error.h"
#include "core/files.h"
#include "core/shell.h"
#include "core/text.h"
#include "model/placement.h"
#include "train/budget.h"
#include "train/estimate.h"
#include "train/pace.h"
#include "train/session.h"

namespace torsor::app {

namespace {

using Display = std::shared_ptr<ProgressDisplay>;

void say_sizes(TrainSession& session, ProgressDisplay& display) {
  const TrainData& data = session.data();
  display.say(
      fmt::format("\n{}: {} images, {}: {} images", data.a.name, data.count_a, data.b.name, data.count_b));
  if (data.held_out.images)
    display.say(fmt::format("held out: {} images of {}, {} of {}", data.held_out.count_a, data.a.name,
                            data.held_out.count_b, data.b.name));
  if (data.anchor_pairs > 0)
    display.say(fmt::format("anchors: {} pair{}", data.anchor_pairs, data.anchor_pairs == 1 ? "" : "s"));
  for (const auto& [name, network] : session.model().networks())
    display.say(fmt::format("{:<9} {} parameters", name, with_thousands(parameter_count(*network))));
  const TrainConfig& config = session.config();
  for (const std::string& line : config.model->summary(config.channels())) display.say(line);
}

void say_estimate(const TrainSession& session, const RunEstimate& estimate, ProgressDisplay& display) {
  const std::int64_t steps = session.state().total_steps - session.state().step;
  display.say(fmt::format(
      "estimate: {:.2g} s a step, {} to the end ({} steps, {} an epoch), {} MiB of memory\n",
      estimate.seconds_a_step(), human_duration(estimate.seconds_a_step() * static_cast<double>(steps)),
      steps, session.steps_per_epoch(),
      with_thousands(std::llround(estimate.memory().total() / (1024 * 1024)))));
}

// What the run will take; refuses one that the machine's memory does not hold.
RunEstimate estimated(const TrainConfig& config, const TrainData& data) {
  const RunEstimate estimate(config, data, room_for(config));
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
                   const std::shared_ptr<LogSink>& log, ProgressDisplay& display) {
  if (config.run.time_budget.empty()) return;
  const double seconds = parse_duration(config.run.time_budget, "--time-budget");
  const TrainData data = open_data(config, log);
  display.say(fit_to_budget(config, seconds, std::max(data.count_a, data.count_b), given, measure_step,
                            room_for(config).bytes) +
              "\n");
}

struct Prepared {
  std::unique_ptr<TrainSession> session;
  std::optional<RunEstimate> estimate;  // none where nothing is left to do
};

Prepared begin(TrainProgram& p, const std::shared_ptr<LogSink>& log, ProgressDisplay& display) {
  const std::vector<std::string> given_as_flags = given_names(p);
  const Occupied occupied = p.settings.restart ? Occupied::restart : Occupied::refuse;
  const std::vector<std::string> given = resolve_layers(p);
  TrainConfig& config = p.settings.config;
  config.validate();
  require_sense(p.options, given_as_flags);
  // Before minutes go into reading images and a time budget's trials.
  RunDirectory(config.run.out).require_free(occupied);
  require_writable(config.run.out);
  use_threads(config.run.threads);
  choose_budget(config, given, log, display);
  TrainData data = open_data(config, log);
  const RunEstimate estimate = estimated(config, data);
  return {std::make_unique<TrainSession>(config, log, occupied, std::move(data)), estimate};
}

Prepared go_on(TrainProgram& p, const std::shared_ptr<LogSink>& log, ProgressDisplay& display) {
  const std::string run = p.settings.config.run.resume;
  Json flags = Json::object();
  for (const std::string& name : given_names(p))
    if (name != "resume") flags[name] = p.options.find(name)->value();
  if (flags.contains("out"))
    fail_usage(
        "--out and --resume exclude each other: a run is resumed in its own directory; leave --out out");
  if (p.settings.restart)
    fail_usage(
        "--restart and --resume contradict each other: one begins again, the other continues; give one");
  ResumePoint point = open_resume_point(run, *log);
  ResumedConfig resumed = resumed_config(point, flags);
  const std::vector<std::string> given_as_flags = given_names(p);
  p.options.from_json(options_to_json(resumed.config), "resumed run");
  require_sense(p.options, given_as_flags);
  require_writable(run);
  display.say(fmt::format("resuming from {}, step {}", point.checkpoint.string(), point.info.step));
  const std::int64_t resumed_steps = resumed.config.run.steps;
  resumed.config.validate();
  use_threads(resumed.config.run.threads);
  const TrainConfig located = with_images_at(resumed.config, resumed.image_paths);
  TrainData data = open_data(located, log);
  std::optional<RunEstimate> estimate = estimated(located, data);
  auto session = std::make_unique<TrainSession>(std::move(resumed), std::move(point), log, std::move(data));
  const TrainState& state = session->state();
  if (state.step > state.total_steps)
    fail_usage(
        "{} asks for {} steps, but {} are done in {}; give more, or translate with the model that is there",
        resumed_steps > 0 ? "--steps" : "--epochs with --epochs-decay", state.total_steps, state.step, run);
  if (state.finished()) {
    estimate.reset();
    log->notice(
        fmt::format("this run is complete: {} of {} steps are done; give more --epochs to continue, or "
                    "--steps (0: to the "
                    "schedule's end)",
                    state.step, state.total_steps));
  }
  return {std::move(session), estimate};
}

void say_paths(Model& model, ProgressDisplay& display) {
  for (const auto& [name, network] : model.networks()) {
    std::istringstream lines(engine_report(name, *network));
    for (std::string line; std::getline(lines, line);) display.say(line);
  }
}

// Says after the first step who computed what.
class PathReport : public Observer {
 public:
  PathReport(Model& model, Display display) : model_(model), display_(std::move(display)) {
    for (const auto& [name, network] : model_.networks()) watch_engine(*network);
  }
  std::string name() const override { return "paths"; }
  void after_step(TrainState&, const StepScalars&) override {
    if (!std::exchange(told_, true)) say_paths(model_, *display_);
  }

 private:
  Model& model_;
  Display display_;
  bool told_ = false;
};

Json start_event(const TrainProgram& p, const TrainSession& session) {
  Json changed = Json::object();
  for (const Option& option : p.options.options())
    if (p.is_of_the_run(option.name()) && option.value() != option.default_value())
      changed[option.name()] = option.value();
  const TrainData& data = session.data();
  return {{"event", "start"},
          {"run", session.directory().root().string()},
          {"step", session.state().step},
          {"total", session.state().total_steps},
          {"domains",
           {{"a", {{"name", data.a.name}, {"images", data.count_a}}},
            {"b", {{"name", data.b.name}, {"images", data.count_b}}}}},
          {"options", changed}};
}

void say_end(const TrainSession& session, EndReason reason, ProgressDisplay& display) {
  const RunDirectory directory = session.directory();
  display.report({{"event", "end"},
                  {"reason", reason == EndReason::stopped ? "stopped" : "finished"},
                  {"step", session.state().step},
                  {"checkpoint", session.state().last_checkpoint},
                  {"model", directory.model().string()}});
  if (reason == EndReason::stopped) {
    display.say(fmt::format("stopped after step {}; checkpoint: {}; the model as it is now: {}",
                            session.state().step, session.state().last_checkpoint,
                            directory.model().string()));
    display.say(fmt::format("to resume: torsor train --resume {}", directory.root().string()));
    return;
  }
  display.say(fmt::format("done: {} steps", session.state().step));
  display.say(fmt::format("  model    {}", directory.model().string()));
  display.say(fmt::format("  samples  {}", directory.samples().string()));
  display.say(fmt::format("  log      {}", directory.log().string()));
  std::error_code ec;
  if (fs::exists(directory.report(), ec))
    display.say(fmt::format("  report   {}", directory.report().string()));
}

int train(const std::vector<std::string>&) {
  const Stopwatch since_start;
  TrainProgram& p = TrainProgram::instance();
  p.settings.progress.validate();
  const auto display = std::make_shared<ProgressDisplay>(p.settings.progress.audience(), Stream::output);
  if (!p.settings.seeds.empty()) return train_seeds(p, display);
  const auto log = std::make_shared<NoticeLog>(std::make_shared<ConsoleLog>(display));
  const RunOptions& run = p.settings.config.run;
  const auto [session, estimate] = run.resume.empty() ? begin(p, log, *display) : go_on(p, log, *display);
  say_configuration(p, *display);
  say_sizes(*session, *display);
  if (estimate) say_estimate(*session, *estimate, *display);
  if (estimate && run.tensorboard)
    display->say(fmt::format("to watch it: tensorboard --logdir {}\n",
                             shell_word(session->directory().root().string())));
  display->report(start_event(p, *session));

  bool ended_by_alarm = false;
  std::vector<std::unique_ptr<Observer>> extra = run_observers(*session, log, [&] {
    ended_by_alarm = true;
    stop_flag().request();
  });
  extra.push_back(std::make_unique<TrainProgress>(display, session->loader()));
  if (run.verbose) extra.push_back(std::make_unique<PathReport>(session->model(), display));
  if (estimate)
    extra.push_back(std::make_unique<PaceWatch>(estimate->seconds_a_step(), session->loader(), log));
  const EndReason reason =
      run_with_report(*session, stop_flag(), std::move(extra), *log, since_start.seconds());
  if (engine_named(run.placement.engine) == Engine::check) say_paths(session->model(), *display);
  say_end(*session, reason, *display);
  if (ended_by_alarm) return kEndedByAlarm;
  return reason == EndReason::stopped ? 128 + stop_flag().signal() : 0;
}

}  // namespace

Command train_command() {
  return {
      "train",
      "Learn to translate between two folders of images",
      {},
      &TrainProgram::instance().options,
      train,
      {"torsor train --a photos/horses --b photos/zebras --preset laptop --time-budget 2h --out runs/zebras",
       "torsor train --resume runs/zebras"},
      bind_model,
      other_models};
}

}  // namespace torsor::app
