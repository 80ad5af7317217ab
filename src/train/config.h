// All options of a training run: flags, config file, stored configuration and documentation come from
// describe().
#pragma once

#include "data/transform.h"
#include "model/cyclegan.h"
#include "model/pairing.h"
#include "train/schedule.h"

namespace torsor {

struct DataOptions {
  std::string data;
  std::string a;
  std::string b;
  std::string pairing = "auto";
  std::int64_t channels_a = 3;
  std::int64_t channels_b = 3;
  std::string name_a;
  std::string name_b;
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
  bool verbose = false;
  bool force = false;
  PlacementOptions placement;

  void describe(OptionSet& o);
};

struct TrainConfig {
  DataOptions data;
  GeneratorOptions generator;
  DiscriminatorOptions discriminator;
  std::string norm_d = "same";
  InitOptions init;
  GanLossOptions gan;
  CycleGanOptions cyclegan;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  RunOptions run;

  void describe(OptionSet& o);
  /// Throws UsageError when options contradict each other or the networks cannot take the sizes.
  void validate() const;

  /// What --pairing says; where that is "auto", what the model wants.
  Pairing pairing() const;

  /// The networks and losses, with each domain's channels filled in.
  CycleGanSpec spec() const;
};

/// Names of --preset and what each sets, as keys of a config file. Throws UsageError for another name.
Json train_preset(const std::string& name);
std::vector<std::string> train_presets();

/// Throws UsageError, naming the sides that would fit, when a network cannot take images of this size.
void check_size(const std::string& option, Size size, const SizeRule& rule, const std::string& network);

}  // namespace torsor
