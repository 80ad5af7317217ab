// The settings of `torsor train`, whose options depend on the model.
#pragma once

#include <string>
#include <vector>

#include "app/cli.h"
#include "app/progress.h"
#include "train/config.h"

namespace torsor::app {

struct TrainSettings {
  TrainConfig config;
  bool restart = false;
  std::string seeds = {};  // "0-4": a run for each; "" = one run
  ProgressOptions progress;

  void describe(OptionSet& o);
};

/// The settings of a training of one type of model, and the options bound to them.
class TrainProgram {
 public:
  /// The command's own.
  static TrainProgram& instance();

  explicit TrainProgram(const std::string& model = kDefaultModel) { bind(model); }
  TrainProgram(const TrainProgram&) = delete;
  TrainProgram& operator=(const TrainProgram&) = delete;

  /// Begins anew with the defaults and options of this model.
  void bind(const std::string& model);

  /// Whether it belongs to the run, and not only to what this command prints.
  bool is_of_the_run(const std::string& name) const { return of_the_run_.contains(name); }

  TrainSettings settings;
  OptionSet options;

 private:
  Json of_the_run_;
};

/// Binds the command's options to the model that the words of the command line ask for: with --model, else by
/// what the config file or the run to resume is of. Throws UsageError when two of them differ.
void bind_model(const std::vector<std::string>& words);

/// The options of the models that are not the default.
std::vector<Variant> other_models();

/// Names of the run's options that were set by now.
std::vector<std::string> given_names(const TrainProgram& program);

/// Puts the config file and the flags, over all that they build on, into the program's settings
/// (resolve_settings). Returns the names that flags or the config file set. Throws UsageError or Error.
std::vector<std::string> resolve_layers(TrainProgram& program);

}  // namespace torsor::app
