#include "train/config.h"

#include <algorithm>

#include "core/error.h"
#include "core/registry.h"
#include "core/text.h"
#include "data/data_source.h"
#include "model/model_file.h"
#include "train/cadence.h"

namespace torsor {

namespace {

const Registry<Json>& presets() {
  static const Registry<Json> table = [] {
    Registry<Json> r("preset");
    // Small enough for two cores, large enough to learn textures: about 0.25 s a step there.
    r.add("laptop", {{"load_size", 142},
                     {"crop_size", 128},
                     {"net_g", "resnet_6blocks"},
                     {"ngf", 32},
                     {"ndf", 32},
                     {"epochs", 15},
                     {"epochs_decay", 15},
                     {"eval_every", 2000}});
    // The paper's setting for 256x256 images (Zhu et al. 2017), which is the default too.
    r.add("paper", {{"load_size", 286},
                    {"crop_size", 256},
                    {"net_g", "resnet_9blocks"},
                    {"ngf", 64},
                    {"ndf", 64},
                    {"epochs", 100},
                    {"epochs_decay", 100}});
    return r;
  }();
  return table;
}

}  // namespace

void DataOptions::describe(OptionSet& o) {
  o.group("Data");
  std::vector<std::string> sources;
  for (const std::string& source : data_source_types().names())
    sources.push_back(data_source_types().at(source).help);
  o.add("data", data, join(sources, ", or ")).changeable().common();
  o.add("a", a, "folder of domain A, instead of --data").changeable().common();
  o.add("b", b, "folder of domain B, instead of --data").changeable().common();
  o.add("pairing", pairing,
        "unpaired: an image of each domain drawn on its own; aligned: pairs, of two folders by the files' "
        "names, or side by side; auto: as the model needs them")
      .choices({"auto", "unpaired", "aligned"});
  o.add("name_a", name_a, "name of domain A, kept with the model (default: from the folder)").changeable();
  o.add("name_b", name_b, "name of domain B").changeable();
  o.add("val_a", val_a, "folder of images of A that are held out of training, for metrics; with --val-b")
      .changeable();
  o.add("val_b", val_b, "the same of B; with --pairing aligned the partners of A's, by name").changeable();
  o.add("val_share", val_share,
        "share of the training folders' images that is held out instead, chosen by their names: 0.1 = a "
        "tenth; "
        "0 = none")
      .range(0, 0.9);
  o.add("channels_a", channels_a, "channels of A; grey (1) and colour (3) images are converted to it")
      .range(1, 4096);
  o.add("channels_b", channels_b, "channels of B").range(1, 4096);
  o.add(
      "white_a", white_a,
      "the stored sample that is white in A, for all of its images [by their type: 255 for 8 bits; 255, 4095 "
      "or 65535, whichever first holds 99.9 % of 16-bit samples; 1 or 255 likewise for floats, else their "
      "largest]");
  o.add("black_a", black_a,
        "the stored sample that is black in A [0, or the least of floats outside 0..255]");
  o.add("white_b", white_b, "white in B");
  o.add("black_b", black_b, "black in B");
  transform.describe(o);
  o.add("batch_size", batch_size, "images a step").range(1, 65536).common();
  o.add("serial_batches", serial_batches,
        "draw images in order, image i of A with image i of B, instead of at random");
  o.add("max_dataset_size", max_dataset_size, "use the first that many images of each domain; 0 = all")
      .at_least(0);
  o.add("epoch_size", epoch_size, "items that make an epoch; 0 = the larger domain's count").at_least(0);
  o.add("skip_bad", skip_bad,
        "continue without unreadable images, and without images of pairs that have no partner, instead of "
        "refusing to start")
      .changeable()
      .common();
  o.add("loader_threads", loader_threads, "threads that read images; 0 = the training thread itself")
      .range(0, 256)
      .changeable();
}

void DataOptions::validate() const {
  transform.validate();
  if (scales_each_image(transform.scaling))
    for (const auto& [flag, value] : {std::pair{"--white-a", white_a}, std::pair{"--black-a", black_a},
                                      std::pair{"--white-b", white_b}, std::pair{"--black-b", black_b}})
      if (value)
        fail_usage("{}: with --scaling {} each image has a white of its own; give one", flag,
                   transform.scaling);
  const bool folders = !a.empty() || !b.empty();
  if (data.empty() && !folders) fail_usage("--data is missing: give --data DIR, or --a DIR and --b DIR");
  if (!data.empty() && folders) fail_usage("--data and --a/--b exclude each other; give one form");
  if (folders && (a.empty() || b.empty()))
    fail_usage("--a and --b go together; {} is missing", a.empty() ? "--a" : "--b");
  if (val_a.empty() != val_b.empty())
    fail_usage("--val-a and --val-b go together; {} is missing", val_a.empty() ? "--val-a" : "--val-b");
  if (val_share > 0 && !val_a.empty())
    fail_usage("--val-share and --val-a/--val-b exclude each other; give one form");
}

void RunOptions::describe(OptionSet& o) {
  o.group("Run");
  o.add("out", out, "run directory to make (required)").common();
  o.add("steps", steps, "stop after that many steps in all; 0 = at the schedule's end, which it never alters")
      .at_least(0)
      .changeable()
      .common();
  o.add("seed", seed, "the one seed: same seed and threads, same bits").at_least(0).common();
  o.add("threads", threads, "compute threads; 0 = all processors that it may use")
      .range(0, 1024)
      .changeable()
      .common();
  o.add("log_every", log_every, "steps between lines of log.jsonl").at_least(1).changeable();
  o.add("sample_every", sample_every, "steps between sample grids; 0 = only at the end")
      .at_least(0)
      .changeable();
  o.add("sample_count", sample_count, "fixed test images in a sample grid").range(1, 64).changeable();
  o.add("tensorboard", tensorboard,
        "write what log.jsonl and samples/ have for TensorBoard too: tensorboard --logdir RUN")
      .changeable()
      .common();
  o.add("checkpoint_every", checkpoint_every,
        "steps (500) or time (10min) between checkpoints, after a first one at the first step; 0 = only at "
        "the "
        "end")
      .number_too()
      .check([](const std::string& text, const std::string& where) { Cadence::parse(text, where); })
      .changeable();
  o.add("keep_last", keep_last, "newest checkpoints that are kept").range(1, 1e9).changeable();
  o.add("keep_every", keep_every, "keep also each checkpoint whose step is a multiple of this; 0 = none")
      .at_least(0)
      .changeable();
  o.add("report", report, "write report.html at the end, which shows how the run went").changeable();
  add_note_and_licence(o, note, licence);
  placement.describe(o);
  o.add("verbose", verbose,
        "list all options, and say after the first step which layers go through torsor's kernels and which "
        "through libtorch")
      .changeable()
      .common();
  o.add("force", force, "continue even where the estimate exceeds the memory").changeable();
  o.add("time_budget", time_budget,
        "choose size, width and schedule so that the run ends within this time (90s, 10min, 1h), and correct "
        "the "
        "schedule on the way; a resumed run has what is left of it")
      .check([](const std::string& text, const std::string& where) {
        if (!text.empty()) parse_duration(text, where);
      })
      .changeable()
      .common();
  o.add("preset", preset, "start from named settings: " + join(train_presets()))
      .check([](const std::string& name, const std::string& where) {
        const std::vector<std::string> known = train_presets();
        if (!name.empty() && std::find(known.begin(), known.end(), name) == known.end())
          fail_usage("{}: unknown preset '{}'{} (one of {})", where, name, did_you_mean(name, known),
                     join(known));
      })
      .suggest(train_presets())
      .common();
  o.add("config", config,
        "JSON file of options (keys are the flags' names with underscores); flags win over it")
      .common();
  o.add("resume", resume,
        "resume the run in this directory, exactly from its newest good checkpoint, until its "
        "end or --steps; options marked * may have new values")
      .common();
  o.add("init_from", init_from,
        "begin with the weights of this model (run, model file, .pth, the reference's folder) instead of "
        "random ones; its network options hold where none are given")
      .common();
}

TrainConfig::TrainConfig(const ModelChoice& chosen) : model(chosen) {
  const Epochs epochs = model->epochs();
  schedule.epochs = epochs.full;
  schedule.epochs_decay = epochs.decay;
}

void TrainConfig::describe(OptionSet& o) {
  data.describe(o);
  o.group("Networks");
  model.describe(o);
  model->describe_networks(o);
  o.group("Losses");
  model->describe_losses(o);
  o.group("Optimisation");
  optimizer.describe(o);
  schedule.describe(o);
  evaluation.describe(o);
  alarms.describe(o);
  run.describe(o);
}

void check_size(const std::string& option, Size size, const SizeRule& rule, const std::string& network) {
  const std::int64_t smaller = std::min(size.width, size.height);
  if (size.width % rule.multiple == 0 && size.height % rule.multiple == 0 && smaller >= rule.minimum) return;
  const std::int64_t m = rule.multiple;
  const std::int64_t below = std::max(rule.minimum, smaller / m * m),
                     above = std::max(rule.minimum, (smaller + m - 1) / m * m);
  fail_usage("{}: {} does not support {}x{} images; sides must be multiples of {}, at least {}; use {}",
             option, network, size.width, size.height, m, rule.minimum,
             below == above ? std::to_string(below) : fmt::format("{} or {}", below, above));
}

Pairing TrainConfig::pairing() const {
  if (data.pairing == "auto") return model->pairing();
  return data.pairing == "aligned" ? Pairing::aligned : Pairing::unpaired;
}

bool TrainConfig::evaluates_by_preset() const {
  if (run.preset.empty() || !evaluation.keep_best.empty() || !evaluation.early_stop.empty()) return false;
  return train_preset(run.preset, *model).value("eval_every", std::int64_t{0}) == evaluation.eval_every;
}

void TrainConfig::validate() const {
  data.validate();
  schedule.validate();
  evaluation.validate();
  alarms.validate();
  if (run.out.empty()) fail_usage("--out is missing: name the run directory to make");
  model->validate(channels());
  const Size size = output_size(data.transform);
  if (size == Size{}) return;  // varies from image to image: checked against the files
  for (const NetworkInfo& network : networks())
    check_size("--crop-size", size, network.sides, network_label(network));
}

std::unique_ptr<Model> TrainConfig::make_model(const Placement& placement) const {
  return model->make(channels(), optimizer, placement, static_cast<std::uint64_t>(run.seed));
}

TrainConfig config_from_json(const Json& json, const std::string& source) {
  TrainConfig config{ModelChoice(model_in(json, source))};
  OptionSet options;
  config.describe(options);
  options.from_json(json, source);
  return config;
}

Json option_value(TrainConfig config, const std::string& name) {
  OptionSet options;
  config.describe(options);
  const Option* option = options.find(name);
  return option == nullptr ? Json() : option->value();
}

void set_option(TrainConfig& config, const std::string& name, const Json& value) {
  OptionSet options;
  config.describe(options);
  if (Option* option = options.find(name)) option->set(value, name);
}

Json train_preset(const std::string& name, const ModelOptions& model) {
  return model.preset(name, presets().at(name));
}

std::vector<std::string> train_presets() { return presets().names(); }

}  // namespace torsor
