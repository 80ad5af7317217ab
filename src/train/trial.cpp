#include "train/trial.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>

#include "model/memory_watch.h"
#include "train/observers.h"

namespace torsor {

namespace {

constexpr int kTimedSteps = 5;
constexpr double kEnoughSeconds = 1.5;  // slow steps are timed twice at the least

class RandomImages : public BatchSource {
 public:
  RandomImages(const DataOptions& data, SideData side, Load load)
      : data_(data), side_(std::move(side)), load_(load) {}
  Batch next() override { return of(load_.batch); }
  Batch of(std::int64_t count) {
    const auto image = [&](std::int64_t channels) {
      return at::rand({count, channels, load_.height, load_.width}, generator_) * 2 - 1;
    };
    Batch batch;
    batch.tensors["real_a"] = image(data_.channels_a);
    batch.tensors["real_b"] = image(data_.channels_b);
    if (side_.has_anchors()) {
      batch.tensors["anchor_a"] = image(data_.channels_a);
      batch.tensors["anchor_b"] = image(data_.channels_b);
    }
    if (side_.has_labels())
      batch.tensors["label_a"] = batch.tensors["label_b"] = at::zeros({count}, at::kLong);
    return batch;
  }

 private:
  DataOptions data_;
  SideData side_;
  Load load_;
  at::Generator generator_ = at::detail::createCPUGenerator(1);
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

struct TrialModel::Parts {
  explicit Parts(const TrainConfig& config)
      : placement(resolve_placement(config.run.placement)),
        watch(placement),
        data(config.data),
        side(config.model->side_data()),
        model(config.model->without_history()->make(config.channels(), config.optimizer, placement,
                                                    /*seed=*/0)) {
    if (config.optimizer.ema > 0) model->keep_average(config.optimizer.ema);
  }

  Placement placement;
  MemoryWatch watch;
  DataOptions data;
  SideData side;
  // Keeps no images: they may have another size in the next trial, and what fills a history is known
  // without trying.
  std::unique_ptr<Model> model;
};

TrialModel::TrialModel(const TrainConfig& config) : parts_(std::make_unique<Parts>(config)) {}
TrialModel::~TrialModel() = default;

std::int64_t TrialModel::batches_per_step() const { return parts_->model->batches_per_step(); }

StepTrial TrialModel::run(const Load& load, Timing timing) {
  RandomImages images(parts_->data, parts_->side, load);
  RngStreams rng(0);
  GradientSync sync;
  StepContext context{images, rng, sync};
  const auto step = [&] {
    const auto start = std::chrono::steady_clock::now();
    parts_->model->step(context);
    parts_->model->update_average();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  StepTrial out;
  out.pixels = load.pixels();
  out.sampled = static_cast<double>(kSamplesAtOnce * load.width * load.height);
  step();  // makes moments and buffers, and wakes the threads
  parts_->watch.begin_peak();
  step();
  out.resident = parts_->watch.now();
  out.step = parts_->watch.peak();
  parts_->watch.begin_peak();
  parts_->model->sample(images.of(kSamplesAtOnce));
  out.sample = parts_->watch.peak();
  if (timing == Timing::none) return out;
  std::vector<double> seconds;
  double all = 0;
  while (seconds.size() < kTimedSteps && (seconds.size() < 2 || all < kEnoughSeconds)) {
    seconds.push_back(step());
    all += seconds.back();
  }
  out.seconds = median(seconds);
  return out;
}

}  // namespace torsor
