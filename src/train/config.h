// All options of a training run: flags, config file, stored configuration and documentation come from
// describe().
#pragma once

#include <optional>

#include "data/pairing.h"
#include "data/transform.h"
#include "model/model_types.h"
#include "train/alarm_options.h"
#include "train/evaluation_options.h"
#include "train/schedule.h"

namespace torsor {

struct DataOptions {
  std::string data;
  std::string a;
  std::string b;
  std::string pairing = "auto";
  std::int64_t channels_a = 3;
  std::int64_t channels_b = 3;
  std::optional<double> white_a, black_a, white_b, black_b;
  std::string name_a;
  std::string name_b;
  std::string val_a;
  std::string val_b;
  double val_share = 0;
  std::int64_t max_dataset_size = 0;
  std::int64_t epoch_size = 0;
  bool serial_batches = false;
  bool skip_bad = false;
  std::int64_t batch_size = 1;
  std::int64_t loader_threads = 2;
  TransformOptions transform;

  void describe(OptionSet& o);
  void validate() const;
};

struct RunOptions {
  std::string out;
  std::int64_t steps = 0;
  std::int64_t seed = 0;
  std::int64_t threads = 0;
  std::int64_t log_every = 20;
  std::int64_t sample_every = 500;
  std::int64_t sample_count = 4;
  std::string checkpoint_every = "2000";
  std::int64_t keep_last = 2;
  std::int64_t keep_every = 0;
  std::string note, licence;  // for the model file
  std::string time_budget;
  std::string preset;
  std::string config;
  std::string resume;
  std::string init_from;
  bool tensorboard = true;
  bool report = true;
  bool verbose = false;
  bool force = false;
  PlacementOptions placement;

  void describe(OptionSet& o);
};

struct TrainConfig {
  explicit TrainConfig(const ModelChoice& model = ModelChoice());

  ModelChoice model;
  DataOptions data;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  EvaluationOptions evaluation;
  AlarmOptions alarms;
  RunOptions run;

  void describe(OptionSet& o);
  /// What the model's options take from files (ModelOptions::read_files()); before validate(), where a run
  /// begins. Throws Error naming the file.
  void read_files() { model->read_files(); }
  /// Throws UsageError when options contradict each other or the networks do not support the sizes.
  void validate() const;

  DomainChannels channels() const { return {data.channels_a, data.channels_b}; }
  /// All networks of the model.
  std::vector<NetworkInfo> networks() const { return model->networks(channels()); }
  std::unique_ptr<Model> make_model(const Placement& placement) const;
  /// The value of --pairing; where that is "auto", what the model needs.
  Pairing pairing() const;
  /// Whether evaluations during training are the preset's wish and nothing acts on their values, so that a
  /// run without images for them goes on without them.
  bool evaluates_by_preset() const;
};

/// A stored configuration or a config file as a configuration of the model that it names. Throws UsageError.
TrainConfig config_from_json(const Json& json, const std::string& source);

/// An option by its name, of whatever model; null where there is none.
Json option_value(TrainConfig config, const std::string& name);
/// Does nothing where the model has no such option.
void set_option(TrainConfig& config, const std::string& name, const Json& value);

/// What --preset NAME sets for this model, as keys of a config file. Throws UsageError for another name.
Json train_preset(const std::string& name, const ModelOptions& model);
std::vector<std::string> train_presets();

/// Throws UsageError, naming the sides that would fit, when a network does not support images of this size.
void check_size(const std::string& option, Size size, const SizeRule& rule, const std::string& network);

}  // namespace torsor
