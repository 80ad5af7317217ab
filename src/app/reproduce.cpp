// torsor reproduce
#include <iostream>

#include "app/commands.h"
#include "core/error.h"
#include "experiment/experiments.h"

namespace torsor::app {

namespace {

int list_experiments(const OptionSet& options) {
  for (const Option& option : options.options())
    if (option.given())
      fail_usage("{} needs the ID of an experiment; torsor reproduce lists them", option.flag());
  std::cout << experiment_list();
  return 0;
}

int reproduce_command_run(const std::vector<std::string>& positionals) {
  auto& bound = Bound<ReproduceOptions>::instance();
  if (positionals[0].empty()) return list_experiments(bound.options);
  const Experiment& experiment = experiment_named(positionals[0]);
  try {
    const Reproduction done =
        reproduce(experiment, bound.settings, std::make_shared<ConsoleLog>(), stop_flag());
    std::cout << fmt::format("{}: {}: {}\nopen {} in a browser\n", experiment.info().id, done.verdict,
                             done.because, std::filesystem::absolute(done.page).lexically_normal().string());
    return 0;
  } catch (const StoppedError&) {
    std::cerr << "torsor: stopped; nothing was judged. The same command goes on.\n";
    return 128 + stop_flag().signal();
  }
}

}  // namespace

Command reproduce_command() {
  return {"reproduce",
          "Run an experiment of the papers, measure it and judge the claim; without ID, list them",
          {{"ID", "the experiment's id", Need::optional}},
          &Bound<ReproduceOptions>::instance().options,
          reproduce_command_run};
}

}  // namespace torsor::app
