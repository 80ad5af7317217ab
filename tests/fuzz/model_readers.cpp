#include <ATen/Parallel.h>

#include <array>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "data/label_table.h"
#include "fuzz/readers.h"
#include "fuzz/sealed.h"
#include "infer/generator_runner.h"
#include "infer/input_check.h"
#include "interchange/inspect.h"
#include "interchange/onnx.h"
#include "interchange/train_opt.h"
#include "interchange/weight_source.h"
#include "scratch_folder.h"
#include "telemetry/event_file.h"
#include "telemetry/tf_record.h"
#include "train/cyclegan_config.h"
#include "train/resume.h"
#include "train/session.h"

namespace torsor::testing {

namespace {

// Networks of some dozens of weights, and images enough for a fingerprint.
TrainConfig smallest_config(const fs::path& out) {
  TrainConfig config;
  config.data.data = "generated:circles-squares";
  config.data.max_dataset_size = 16;
  config.data.loader_threads = 0;
  config.data.transform.load_size = config.data.transform.crop_size = 16;
  cyclegan(config).nets.generator.net_g = "resnet_1blocks";
  cyclegan(config).nets.generator.ngf = cyclegan(config).nets.discriminator.ndf = 1;
  cyclegan(config).nets.discriminator.net_d = "pixel";
  cyclegan(config).cyclegan.pool_size = 2;
  config.schedule.epochs = config.schedule.epochs_decay = 1;
  config.run.out = out.string();
  config.run.steps = 2;
  config.run.sample_count = 1;
  config.run.threads = 1;
  return config;
}

// A finished run, made once.
class SmallestRun {
 public:
  SmallestRun() : config_(smallest_config(folder_ / "run")) {
    at::set_num_threads(1);
    TrainSession(config_, std::make_shared<NullLog>()).run(StopFlag(), {});
  }
  const TrainConfig& config() const { return config_; }
  RunDirectory directory() const { return RunDirectory(config_.run.out); }
  Seed model() const { return {"model", read_file(directory().model())}; }
  Seed checkpoint() const { return {"checkpoint", read_file(directory().list_checkpoints().back().path)}; }
  Seed configuration() const { return {"config", read_file(directory().config())}; }
  Seed onnx() const {
    const fs::path path = folder_ / "model.onnx";
    write_onnx(load_generator(open_weights(directory().model()), ""), path, 17);
    return {"onnx", read_file(path)};
  }

 private:
  ScratchFolder folder_;
  TrainConfig config_;
};

const SmallestRun& smallest_run() {
  static const SmallestRun run;
  return run;
}

Seed stored_checkpoint(const std::string& name) {
  return {name, read_file(fs::path(TORSOR_TEST_DATA) / "checkpoints" / (name + ".safetensors"))};
}

// Everything that the commands do with a model file: inspect it, translate with each of its generators.
void use_model(const fs::path& path) {
  const WeightSet set = open_weights(path);
  static_cast<void>(describe_weights(set).dump());
  Image image = Image::blank(8, 8, 3);
  std::fill(image.bytes.begin(), image.bytes.end(), std::uint8_t{128});
  for (const NetworkInfo& network : set.info.networks) {
    if (network.kind != "generator" || !network.name.starts_with("g_")) continue;
    const std::string direction = network.name.substr(2);
    InputCheck check(load_generator(set, direction));
    check.add("an image", image);
    static_cast<void>(check.warning());
    const GeneratorRunner runner(load_generator(set, direction), RunnerOptions{direction});
    std::string note;
    runner.translate(image, note);
  }
}

// Takes checkpoints as `torsor train --resume` does, without making the run anew each time.
class Resumer {
 public:
  Resumer()
      : config_(smallest_run().config()),
        data_(open_data(config_, std::make_shared<NullLog>())),
        model_(config_.make_model(Placement())),
        loader_(data_.train, LoaderOptions{1, 0, true, 0, 0}, {}),
        trainer_(*model_, loader_, Schedule(config_.schedule), TrainState(0)),
        point_(open_resume_point(config_.run.out, log_)) {}

  void take(const fs::path& checkpoint) {
    point_.checkpoint = checkpoint;
    point_.archive = Archive::read(checkpoint);
    point_.info = read_model_info(point_.archive.metadata(), checkpoint.string());
    resumed_config(point_, Json::object());
    trainer_.load(point_.archive);
    loader_.next();
  }

 private:
  NullLog log_;
  TrainConfig config_;
  TrainData data_;
  std::unique_ptr<Model> model_;
  Loader loader_;
  Trainer trainer_;
  ResumePoint point_;
};

void use_checkpoint(const fs::path& path) {
  static Resumer resumer;
  resumer.take(path);
}

void use_configuration(const fs::path& path) {
  const TrainConfig config = config_from_json(read_json(path), path.string());
  config.validate();
  static_cast<void>(options_to_json(config).dump());
}

void use_reference_options(const fs::path& path) {
  const ReferenceOptions options = read_reference_options(path);
  for (const char* name : {"direction", "load_size", "no_flip", "dataroot"}) {
    options.text(name);
    options.flag(name);
    options.number(name);
  }
}

std::string mutate_words(const std::string& bytes, Random& random) {
  return random.one_in(4) ? mutate_bytes(bytes, random) : mutate_text(bytes, random);
}

std::string mutate_configuration(const std::string& bytes, Random& random) {
  return random.one_in(2) ? mutate_json(bytes, random) : mutate_words(bytes, random);
}

std::vector<std::string> records_of(const fs::path& path) {
  TfRecordReader reader(path);
  std::vector<std::string> records;
  while (auto record = reader.next()) records.push_back(std::move(*record));
  return records;
}

Seed event_seed() {
  const ScratchFolder folder;
  const fs::path path = folder / "events";
  EventFile file(path);
  file.begin_session(1);
  file.text(1, "configuration", "| option | value |");
  file.scalars(1, std::vector<std::pair<std::string, double>>{{"loss/d_a", 0.25}, {"lr", 2e-4}});
  file.picture(300, "samples", {8, 8, "no picture"});
  std::string timeless;  // the same on every run
  for (std::string& record : records_of(path)) timeless += tf_record(record.replace(1, 8, 8, '\0'));
  return {"events", timeless};
}

// Half of the time one record's data, with the checksums of what came of them.
std::string mutate_events(const std::string& bytes, Random& random) {
  if (random.one_in(2)) return mutate_bytes(bytes, random);
  const ScratchFolder folder;
  write_file_atomically(folder / "events", bytes);
  const std::vector<std::string> records = records_of(folder / "events");
  const std::size_t chosen = random.below(records.size());
  std::string out;
  for (std::size_t i = 0; i < records.size(); ++i)
    out += tf_record(i == chosen ? mutate_bytes(records[i], random) : records[i]);
  return out;
}

void use_events(const fs::path& path) {
  constexpr std::int64_t kBeyondAll = 1000;
  std::size_t tags = 0;
  const std::uint64_t end =
      end_of_events(path, kBeyondAll, [&](const EventHead& event) { tags += event.tags.size(); });
  if (end > fs::file_size(path) || tags > end) throw std::logic_error("events beyond the file");
  // What is damaged is set aside and no error of the program; here it counts as refused.
  if (end < fs::file_size(path)) fail("{}: at byte {}: no whole event", path.string(), end);
}

constexpr const char* kTrainOpt =
    "----------------- Options ---------------\n"
    "               batch_size: 1                             \n"
    "                 dataroot: ./datasets/horse2zebra        \t[default: None]\n"
    "                direction: BtoA                          \t[default: AtoB]\n"
    "                load_size: 286                           \n"
    "                  no_flip: False                         \n"
    "----------------- End -------------------\n";

constexpr const char* kLabels =
    "name,label\r\nn02381460_1.jpg,horse\r\n\"sub/a, b.png\",\"a \"\"zebra\"\"\"\r\nn02381460_2,horse\n";

// Every row is found again by its name.
void use_labels(const fs::path& path) {
  const LabelTable table(path);
  for (const LabelTable::Row& row : table.rows())
    if (table.find(row.name) != &row) throw std::logic_error("a row that is not found");
  if (table.classes().size() > table.rows().size()) throw std::logic_error("more classes than rows");
}

constexpr const char* kSmallConfig =
    "{\n  \"data\": \"horse2zebra\", \"lr\": 2e-4, \"alpha_id\": null,\n  \"net_g\": \"unet_128\", "
    "\"checkpoint_every\": \"10min\", \"ngf\": 64, \"load_size\": 143, \"crop_size\": 128}\n";

}  // namespace

std::vector<FuzzedReader> model_readers() {
  const SmallestRun& run = smallest_run();
  return {{"model",
           ".safetensors",
           {run.model(), run.checkpoint(), stored_checkpoint("format-1"), stored_checkpoint("format-2"),
            stored_checkpoint("format-3")},
           mutate_safetensors,
           use_model,
           seal_safetensors},
          {"checkpoint",
           ".safetensors",
           {run.checkpoint()},
           mutate_safetensors,
           use_checkpoint,
           seal_safetensors},
          {"onnx", ".onnx", {run.onnx()}, mutate_bytes, [](const fs::path& p) { inspect(p); }},
          {"config",
           ".json",
           {run.configuration(), {"small", kSmallConfig}},
           mutate_configuration,
           use_configuration},
          {"train_opt", ".txt", {{"train_opt", kTrainOpt}}, mutate_words, use_reference_options},
          {"labels", ".csv", {{"labels", kLabels}}, mutate_words, use_labels},
          {"events", ".torsor", {event_seed()}, mutate_events, use_events}};
}

}  // namespace torsor::testing
