// Shared by the tests of training: a model of one weight whose losses a test writes, data that counts, a
// folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/json.h"
#include "data/loader.h"
#include "io/run_directory.h"
#include "model/placement.h"
#include "test_support.h"
#include "train/cyclegan_config.h"
#include "train/session.h"
#include "train/trainer.h"

namespace torsor::testing {

/// One weight; forward multiplies by it.
struct OneWeight : Network {
  OneWeight() { weight = register_parameter("weight", at::ones({1})); }
  at::Tensor forward(const at::Tensor& x) override { return x * weight; }
  SizeRule size_rule() const override { return {}; }
  at::Tensor weight;
};

/// Item i is the number i, named item<i>.
class CountingData : public Dataset {
 public:
  explicit CountingData(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  Batch get(std::int64_t index, Rng&) const override {
    Batch sample;
    sample.tensors["x"] = at::full({1}, static_cast<double>(index));
    sample.names["x"] = {"item" + std::to_string(index)};
    return sample;
  }

 private:
  std::int64_t size_;
};

/// Adds data, a random draw and the learning rate to its weight, so that every step leaves its mark.
class FakeModel : public Model {
 public:
  FakeModel() : network_(std::make_shared<OneWeight>()), optimizer_("opt", {}, network_->parameters()) {}

  StepReport step(StepContext& context) override {
    const Batch batch = context.batches.next();
    at::NoGradGuard no_grad;
    network_->weight.mul_(0.5).add_(batch.at("x").sum().item<double>() + context.rng["fake"].uniform() +
                                    optimizer_.lr());
    ++steps;
    StepReport report;
    report.losses = {{"first", loss(steps)}, {"second", second_loss(steps)}};
    report.images = batch.at("x").size(0);
    report.batches = 1;
    report.items = batch.names.at("x");
    if (spoil_at == steps) network_->weight.fill_(std::nan(""));
    return report;
  }
  std::vector<NamedNetwork> networks() const override { return {{"only", network_}}; }
  std::vector<Optimizer*> optimizers() override { return {&optimizer_}; }
  std::vector<std::string> loss_names() const override { return {"first", "second"}; }
  std::vector<std::vector<LabelledImages>> sample(const Batch&) override { return pictures; }

  double weight() const { return network_->weight.item<double>(); }

  std::int64_t steps = 0;     // of this object
  std::int64_t spoil_at = 0;  // that step makes the weight NaN
  std::function<double(std::int64_t)> loss = [](std::int64_t step) { return static_cast<double>(step); };
  std::function<double(std::int64_t)> second_loss = [](std::int64_t) { return 2.0; };
  std::vector<std::vector<LabelledImages>> pictures;

 private:
  std::shared_ptr<OneWeight> network_;
  Optimizer optimizer_;
};

/// An observer that calls what a test gives it.
class Probe : public Observer {
 public:
  explicit Probe(std::string name = "probe") : name_(std::move(name)) {}
  std::function<void(const TrainState&)> start = [](const TrainState&) {};
  std::function<void(const TrainState&, StepScalars&)> say = [](const TrainState&, StepScalars&) {};
  std::function<void(TrainState&, const StepScalars&)> step = [](TrainState&, const StepScalars&) {};
  std::function<void(TrainState&, EndReason)> end = [](TrainState&, EndReason) {};
  std::vector<std::string> scalars;  // what say() publishes
  std::string name() const override { return name_; }
  std::vector<std::string> scalar_names() const override { return scalars; }
  void on_start(const TrainState& state) override { start(state); }
  void publish(const TrainState& state, StepScalars& all) override { say(state, all); }
  void after_step(TrainState& state, const StepScalars& all) override { step(state, all); }
  void on_end(TrainState& state, EndReason reason) override { end(state, reason); }

 private:
  std::string name_;
};

/// Remembers the mean of a loss over the steps done, and publishes it as "mean_<loss>" every `every` steps.
class RunningMean : public Observer {
 public:
  explicit RunningMean(std::string loss, std::int64_t every = 1) : loss_(std::move(loss)), every_(every) {}
  std::string name() const override { return "mean"; }
  std::vector<std::string> scalar_names() const override { return {"mean_" + loss_}; }
  void publish(const TrainState& state, StepScalars& scalars) override {
    if (steps_ > 0 && state.step % every_ == 0) scalars.publish("mean_" + loss_, mean());
  }
  void after_step(TrainState&, const StepScalars& scalars) override {
    sum_ += scalars.find(loss_).value();
    ++steps_;
  }
  void save(ArchiveWriter& out) const override {
    out.put("sum", at::full({}, sum_, at::kDouble));
    out.put("steps", Json(steps_));
  }
  void load(const ArchiveReader& in) override {
    sum_ = in.tensor_like("sum", at::empty({}, at::kDouble)).item<double>();
    in.take("steps", [&](const Json& saved) { steps_ = json_count(saved); });
  }
  double mean() const { return sum_ / static_cast<double>(steps_); }
  std::int64_t steps() const { return steps_; }

 private:
  std::string loss_;
  std::int64_t every_;
  double sum_ = 0;
  std::int64_t steps_ = 0;
};

/// The objects of a log, line by line.
inline std::vector<Json> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Json> out;
  for (std::string line; std::getline(file, line);) out.push_back(Json::parse(line));
  return out;
}

inline std::vector<std::int64_t> steps_of(const std::vector<Json>& lines) {
  std::vector<std::int64_t> out;
  for (const Json& line : lines) out.push_back(line.at("step"));
  return out;
}

inline std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

/// Of the checkpoint files that are there.
inline std::vector<std::int64_t> checkpoint_steps(const RunDirectory& directory) {
  std::vector<std::int64_t> steps;
  for (const auto& [path, step] : directory.list_checkpoints()) steps.push_back(step);
  return steps;
}

/// Remembers what was said, warnings with the word in front.
class Lines : public LogSink {
 public:
  void notice(const std::string& line) override { lines.push_back(line); }
  void warning(const std::string& line) override { lines.push_back("warning: " + line); }
  std::vector<std::string> lines;
};

/// Four steps in each of two epochs, the second at half rate.
inline TrainConfig tiny_config(const std::filesystem::path& out) {
  TrainConfig config;
  config.data.data = "generated:circles-squares";
  config.data.max_dataset_size = 4;
  config.data.transform.load_size = 20;
  config.data.transform.crop_size = 16;
  cyclegan(config).nets.generator.net_g = "resnet_1blocks";
  cyclegan(config).nets.generator.ngf = cyclegan(config).nets.discriminator.ndf = 4;
  cyclegan(config).nets.discriminator.net_d = "n_layers";
  cyclegan(config).nets.discriminator.n_layers_d = 1;
  cyclegan(config).cyclegan.pool_size = 2;
  config.schedule.epochs = config.schedule.epochs_decay = 1;
  config.run.out = out.string();
  config.run.log_every = 3;
  config.run.sample_every = 4;
  config.run.sample_count = 2;
  config.run.checkpoint_every = "3";
  config.run.threads = 1;
  return config;
}

inline EndReason train(const TrainConfig& config) {
  use_threads(config.run.threads);
  return TrainSession(config, std::make_shared<NullLog>()).run(StopFlag(), {});
}

}  // namespace torsor::testing
