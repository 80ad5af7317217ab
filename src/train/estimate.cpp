#include "train/estimate.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/types.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

constexpr std::int64_t kTrialSide = 64;  // scaled trials use about this crop
constexpr double kBudgetShare =
    0.88;  // of the time that is planned; the rest is for data, samples, checkpoints, a slower spell
constexpr double kEnoughSteps = 4000;  // below that even small images learn little

// Counts the bytes that live in tensors while it is installed; libtorch's allocators report to it.
class TensorMemory : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    const std::int64_t now = live_.fetch_add(bytes) + bytes;
    std::int64_t peak = peak_.load();
    while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }
  double live() const { return static_cast<double>(live_.load()); }
  double peak() const { return static_cast<double>(peak_.load()); }

 private:
  std::atomic<std::int64_t> live_{0}, peak_{0};
};

class RandomImages : public BatchSource {
 public:
  RandomImages(const DataOptions& data, std::int64_t side) : data_(data), side_(side) {}
  Batch next() override {
    const auto image = [&](std::int64_t channels) {
      return at::rand({data_.batch_size, channels, side_, side_}, generator_) * 2 - 1;
    };
    Batch batch;
    batch.tensors["real_a"] = image(data_.channels_a);
    batch.tensors["real_b"] = image(data_.channels_b);
    return batch;
  }

 private:
  DataOptions data_;
  std::int64_t side_;
  at::Generator generator_ = at::detail::createCPUGenerator(1);
};

struct Measured {
  double seconds = 0, resident = 0, peak = 0;
  std::int64_t batches = 1;
};

Measured measure_at(const TrainConfig& config, std::int64_t side) {
  const auto memory = std::make_shared<TensorMemory>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
  CycleGan model(config.spec(), resolve_placement(config.run.placement), 0);
  RandomImages images(config.data, side);
  RngStreams rng(0);
  GradientSync sync;
  StepContext context{images, rng, sync};
  model.step(context);  // the first one allocates and warms up
  Measured out;
  out.resident = memory->live();
  const auto start = std::chrono::steady_clock::now();
  out.batches = model.step(context).batches;
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out.peak = memory->peak();
  return out;
}

std::int64_t training_side(const TrainConfig& config) {
  const Size size = output_size(config.data.transform);
  return size == Size{} ? config.data.transform.load_size : size.width;
}

struct Candidate {
  std::int64_t crop, ngf;
  const char* net_g;
};

// Largest first. 6 blocks up to 128 pixels and 9 above is the paper's rule (S3-Q1).
constexpr Candidate kCandidates[] = {
    {256, 64, "resnet_9blocks"}, {256, 32, "resnet_9blocks"}, {128, 64, "resnet_6blocks"},
    {128, 32, "resnet_6blocks"}, {96, 32, "resnet_6blocks"},  {64, 32, "resnet_6blocks"},
    {64, 16, "resnet_6blocks"},  {64, 16, "resnet_3blocks"},
};

bool contains(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether the networks take what was chosen; a network that the user fixed need not.
bool is_usable(const TrainConfig& config) {
  try {
    config.validate();
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

void apply(const Candidate& c, TrainConfig& config, const std::vector<std::string>& fixed) {
  const auto is_fixed = [&](const char* name) { return contains(fixed, name); };
  TransformOptions& t = config.data.transform;
  if (!is_fixed("crop_size")) t.crop_size = c.crop;
  if (!is_fixed("load_size"))
    t.load_size = config.data.data.starts_with("generated:")
                      ? t.crop_size
                      : std::llround(1.12 * static_cast<double>(t.crop_size));
  if (!is_fixed("ngf")) config.generator.ngf = c.ngf;
  if (!is_fixed("ndf")) config.discriminator.ndf = c.ngf;
  if (!is_fixed("net_g")) config.generator.net_g = c.net_g;
}

// Half of the epochs at full rate, half decaying, as far as the user left that open; an epoch is shortened
// when the whole set would not fit often enough. Returns the steps that the schedule has, at most `steps`.
std::int64_t schedule_for(TrainConfig& config, std::int64_t steps, std::int64_t batches_per_step,
                          std::int64_t dataset_size, const std::vector<std::string>& fixed) {
  constexpr std::int64_t kFewestEpochs = 10;
  ScheduleOptions& schedule = config.schedule;
  const bool has_epochs = contains(fixed, "epochs"), has_decay = contains(fixed, "epochs_decay");
  const std::int64_t given = (has_epochs ? schedule.epochs : 0) + (has_decay ? schedule.epochs_decay : 0);
  const std::int64_t batch = config.data.batch_size;
  const auto steps_an_epoch = [&](std::int64_t items) {
    return std::max<std::int64_t>(1, (items + batch - 1) / batch / batches_per_step);
  };
  const std::int64_t fewest = std::max(kFewestEpochs, given);
  if (!contains(fixed, "epoch_size") && steps / steps_an_epoch(dataset_size) < fewest)
    config.data.epoch_size = std::max<std::int64_t>(1, steps / fewest) * batch * batches_per_step;
  const std::int64_t epoch = config.data.epoch_size > 0 ? config.data.epoch_size : dataset_size;
  const std::int64_t total = std::max<std::int64_t>(1, steps / steps_an_epoch(epoch));
  if (given > total)
    fail_usage(
        "--time-budget: {} steps fit, which are {} epochs of {} items, fewer than --epochs and "
        "--epochs-decay ask for ({}); leave those out or give more time",
        steps, total, epoch, given);
  if (!has_decay) schedule.epochs_decay = has_epochs ? total - schedule.epochs : total / 2;
  if (!has_epochs) schedule.epochs = std::max<std::int64_t>(0, total - schedule.epochs_decay);
  return schedule.total() * steps_an_epoch(epoch);
}

}  // namespace

StepCost measure_step(const TrainConfig& config, Trial trial) {
  const std::int64_t side = training_side(config);
  const SizeRule rule = size_rule_of(config.generator);
  const std::int64_t floor = std::max(rule.minimum, size_rule_of(config.discriminator).minimum);
  std::int64_t small = std::max<std::int64_t>(std::min(side, kTrialSide), floor);
  small = std::max(rule.multiple, (small + rule.multiple - 1) / rule.multiple * rule.multiple);
  if (trial == Trial::full) small = side;
  const Measured m = measure_at(config, small);
  const double area = static_cast<double>(side * side) / static_cast<double>(small * small);
  return {m.seconds * area, m.resident + (m.peak - m.resident) * area, m.batches};
}

std::string fit_to_budget(TrainConfig& config, double seconds, std::int64_t dataset_size,
                          const std::vector<std::string>& fixed, const StepMeter& measure) {
  const double planned = seconds * kBudgetShare;
  std::optional<TrainConfig> chosen;
  StepCost cost;
  double steps = 0;
  for (const Candidate& candidate : kCandidates) {
    TrainConfig trial = config;
    apply(candidate, trial, fixed);
    if (!is_usable(trial)) continue;
    chosen = trial;
    // A scaled trial weeds out what is far too slow; what is left is timed at its own size.
    if (planned / measure(trial, Trial::scaled).seconds < kEnoughSteps / 2) continue;
    cost = measure(trial, Trial::full);
    steps = planned / cost.seconds;
    if (steps >= kEnoughSteps) break;
  }
  if (!chosen) {
    TrainConfig largest = config;
    apply(kCandidates[0], largest, fixed);
    largest.validate();  // says what is wrong
    fail_usage("--time-budget: no size that it may choose fits the options given");
  }
  if (steps < kEnoughSteps) {  // none gets enough: the smallest, as far as it goes
    cost = measure(*chosen, Trial::full);
    steps = planned / cost.seconds;
  }
  if (steps < 10)
    fail_usage("--time-budget {}: even the smallest setting takes {:.1f} s a step here; give more time",
               human_duration(seconds), cost.seconds);
  const std::int64_t scheduled =
      schedule_for(*chosen, static_cast<std::int64_t>(steps), cost.batches, dataset_size, fixed);
  config = *chosen;
  return fmt::format(
      "time budget {}: {}x{} images, {}, ngf {}: {:.2f} s a step measured, {} + {} epochs of {} items, {} "
      "steps{}",
      human_duration(seconds), config.data.transform.crop_size, config.data.transform.crop_size,
      config.generator.net_g, config.generator.ngf, cost.seconds, config.schedule.epochs,
      config.schedule.epochs_decay, config.data.epoch_size > 0 ? config.data.epoch_size : dataset_size,
      scheduled, steps < kEnoughSteps ? "; that is little: expect a first impression, not a result" : "");
}

}  // namespace torsor
