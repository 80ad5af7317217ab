// torsor reproduce
#include <iostream>

#include "app/commands.h"
#include "app/progress.h"
#include "core/error.h"
#include "experiment/experiments.h"

namespace torsor::app {

namespace {

struct ReproduceSettings {
  ReproduceOptions reproduce;
  ProgressOptions progress;

  void describe(OptionSet& o) {
    reproduce.describe(o);
    progress.describe(o);
  }
};

int list_experiments(const OptionSet& options) {
  for (const Option& option : options.options())
    if (option.given())
      fail_usage("{} needs the ID of an experiment; torsor reproduce lists them", option.flag());
  std::cout << experiment_list();
  return 0;
}

int reproduce_command_run(const std::vector<std::string>& positionals) {
  auto& bound = Bound<ReproduceSettings>::instance();
  const ReproduceSettings& settings = bound.settings;
  settings.progress.validate();
  if (positionals[0].empty()) return list_experiments(bound.options);
  const Experiment& experiment = experiment_named(positionals[0]);
  const auto display = std::make_shared<ProgressDisplay>(settings.progress.audience(), Stream::output);
  try {
    const Reproduction done =
        reproduce(experiment, settings.reproduce, std::make_shared<PartsLog>(display), stop_flag());
    display->close();
    const std::string page = std::filesystem::absolute(done.page).lexically_normal().string();
    display->report({{"event", "end"},
                     {"id", experiment.info().id},
                     {"verdict", done.verdict},
                     {"because", done.because},
                     {"page", page}});
    display->say(fmt::format("{}: {}: {}\nopen {} in a browser", experiment.info().id, done.verdict,
                             done.because, page));
    return 0;
  } catch (const StoppedError&) {
    display->say_aside("torsor: stopped; nothing was judged. The same command continues.");
    return 128 + stop_flag().signal();
  }
}

}  // namespace

Command reproduce_command() {
  return {"reproduce",
          "Run an experiment of the papers, measure it and judge the claim; without ID, list them",
          {{"ID", "the experiment's id", Need::optional, experiment_ids()}},
          &Bound<ReproduceSettings>::instance().options,
          reproduce_command_run,
          {"torsor reproduce", "torsor reproduce S0-C2-gaussian"}};
}

}  // namespace torsor::app
