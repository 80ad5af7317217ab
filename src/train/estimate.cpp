#include "train/estimate.h"

#include <malloc.h>

#include <algorithm>
#include <cmath>

#include "core/allocation.h"
#include "core/error.h"
#include "model/memory_watch.h"
#include "train/observers.h"

namespace torsor {

namespace {

constexpr std::int64_t kTrialSide = 64;  // the smaller of two trials' images, where the networks take them
constexpr std::int64_t kNarrow = 16;     // up to so many filters twice that side costs little and tells more
constexpr double kMoments = 4;           // weights, gradients and Adam's two moments, each as large
constexpr double kCopied = 3;            // of these into a checkpoint: all but the gradients
constexpr double kNewlyTaken = 0.75;     // of those copies; the others lie where a step's activations were
constexpr double kFloat = sizeof(float);
constexpr std::int64_t kBatchesAhead = 3;  // that a loader's thread keeps ready; it makes one more
constexpr double kSafeShare = 0.9;         // of the memory there is, for what is suggested
constexpr double kShareOfWeights = 0.5;    // where only the weights are known
constexpr double kRoomForGaps = 1.05;      // what malloc cannot use between what it gave out

std::int64_t round_up(std::int64_t side, std::int64_t multiple) {
  return (side + multiple - 1) / multiple * multiple;
}

Size training_size(const TrainConfig& config) {
  const Size size = output_size(config.data.transform);
  const std::int64_t side = config.data.transform.load_size;
  return size == Size{} ? Size{side, side} : size;
}

double width_of(const TrainConfig& config) { return option_value(config, "ngf").get<double>(); }

// Two small ones that a line can be laid through, or the step itself where it is no larger.
std::vector<Load> trial_loads(const TrainConfig& config, const Load& step) {
  const SizeRule rule = common_sides(config.networks());
  const bool takes_larger =
      width_of(config) <= kNarrow && std::min(step.width, step.height) >= 3 * kTrialSide;
  const std::int64_t small =
      round_up(std::max(takes_larger ? 2 * kTrialSide : kTrialSide, rule.minimum), rule.multiple);
  // A batch norm cannot do with one image where maps have shrunk to a pixel.
  const std::int64_t few =
      std::min<std::int64_t>(step.batch, option_value(config, "norm") == "batch" ? 2 : 1);
  if (std::max(step.width, step.height) > small) {
    const std::int64_t larger = round_up(small * 3 / 2, rule.multiple);
    return {{few, small, small}, {few, larger, larger}};
  }
  if (step.batch <= 2 * few) return {step};
  return {{few, step.width, step.height}, {2 * few, step.width, step.height}};
}

// On the line through two trials, or through one and `fixed` at 0.
double at_size(const std::vector<StepTrial>& trials, double pixels, double StepTrial::*value, double fixed) {
  const StepTrial &first = trials.front(), &last = trials.back();
  if (trials.size() == 1) return fixed + (first.*value - fixed) * pixels / first.pixels;
  return carried_on({first.pixels, first.*value}, {last.pixels, last.*value}, pixels);
}

double parameters_of(const TrainConfig& config) {
  return static_cast<double>(parameter_count(config.networks()));
}

}  // namespace

StepCost measure_step(const TrainConfig& config, Trial trial) {
  return try_step(config, trial, Timing::steps);
}

StepCost try_step(const TrainConfig& config, Trial trial, Timing timing) {
  const Size size = training_size(config);
  const Load step{config.data.batch_size, size.width, size.height};
  TrialModel model(config);
  std::vector<StepTrial> trials;
  for (const Load& load : trial == Trial::full ? std::vector{step} : trial_loads(config, step))
    trials.push_back(model.run(load, timing));
  return {at_size(trials, step.pixels(), &StepTrial::seconds, 0),
          at_size(trials, step.pixels(), &StepTrial::step, trials.front().resident),
          model.batches_per_step()};
}

RunEstimate::RunEstimate(const TrainConfig& config, const TrainData& data, const MemoryRoom& room,
                         Timing timing)
    : config_(config),
      items_(config.data.epoch_size > 0 ? config.data.epoch_size : data.train->size()),
      image_(output_size(config.data.transform) == Size{} ? data.largest : training_size(config)),
      room_(room),
      already_(resident_bytes()),
      on_cpu_(resolve_placement(config.run.placement).device.is_cpu()) {
  program_ = already_;
  if (on_cpu_ && kMoments * kFloat * parameters_of(config) > room.bytes)
    return;  // not even a small trial would
  for_purpose("a trial of a step", "lower --batch-size, --crop-size or --ngf", [&] {
    TrialModel model(config);
    const Load step{std::min(config.data.batch_size, items_), image_.width, image_.height};
    for (const Load& load : trial_loads(config, step)) trials_.push_back(model.run(load, timing));
  });
  malloc_trim(0);
  program_ = on_cpu_ ? resident_bytes() : 0;
}

double RunEstimate::seconds_a_step() const {
  const Load step{std::min(config_.data.batch_size, items_), image_.width, image_.height};
  return at_size(trials_, step.pixels(), &StepTrial::seconds, 0);
}

RunMemory RunEstimate::memory_of(const TrainConfig& config) const {
  const bool varies = output_size(config.data.transform) == Size{};
  const Size size = varies ? image_ : training_size(config);
  const Load step{std::min(config.data.batch_size, items_), size.width, size.height};
  const double area = static_cast<double>(size.width * size.height);
  const double samples = varies ? 1 : static_cast<double>(config.run.sample_count);
  const double image = kFloat * area * static_cast<double>(config.data.channels_a + config.data.channels_b);
  const double ahead = static_cast<double>((kBatchesAhead + 1) * config.data.loader_threads * step.batch);
  const SideData side = config.model->side_data();
  // The history has a plane for each class behind an image's channels.
  const double planes = 2 * kFloat * area * static_cast<double>(side.classes.size());
  const double history = (image + planes) * static_cast<double>(config.model->images_kept());
  const double pairs = side.has_anchors() ? 1 : 0;  // beside each image
  RunMemory memory;
  memory.program = program_;
  memory.images = image * (ahead * (1 + pairs) + samples) + history;
  if (trials_.empty()) {
    memory.weights = kMoments * kFloat * parameters_of(config);
    return memory;
  }
  const double width = width_of(config) / width_of(config_);
  const StepTrial& first = trials_.front();
  memory.weights =
      width == 1 ? first.resident : first.resident * parameters_of(config) / parameters_of(config_);
  const double in_step = at_size(trials_, step.pixels(), &StepTrial::step, first.resident) - first.resident;
  const double in_sample = (trials_.back().sample - trials_.back().resident) / trials_.back().sampled *
                           std::min(samples, static_cast<double>(kSamplesAtOnce)) * area;
  memory.passing = std::max(in_step * width, in_sample * width) * kRoomForGaps;
  if (on_cpu_) memory.copies = kNewlyTaken * kCopied * kFloat * parameters_of(config) + history;
  return memory;
}

bool RunEstimate::fits(const TrainConfig& config, double share_of_room) const {
  return memory_of(config).total() - already_ <= share_of_room * room_.bytes;
}

std::string RunEstimate::what_fits() const {
  const SizeRule rule = common_sides(config_.networks());
  std::vector<std::string> all;
  // The largest of `first`, first - step, ..., not below `last`, that fits; halved, since memory only grows.
  const auto largest = [&](std::int64_t first, std::int64_t step, std::int64_t last, const auto& with) {
    std::int64_t below = 0, above = (first - last) / step;
    const double share = trials_.empty() ? kShareOfWeights : kSafeShare;
    if (above < 0 || !fits(with(last), share)) return std::int64_t{0};
    while (below < above) {
      const std::int64_t middle = (below + above + 1) / 2;
      if (fits(with(last + middle * step), share))
        below = middle;
      else
        above = middle - 1;
    }
    return last + below * step;
  };
  const auto add = [&](const char* flag, std::int64_t value) {
    if (value > 0) all.push_back(fmt::format("{} {}", flag, value));
  };
  const auto with = [&](auto change) {
    return [this, change](std::int64_t value) {
      TrainConfig config = config_;
      change(config, value);
      return config;
    };
  };
  add("--batch-size", largest(std::min(config_.data.batch_size, items_) - 1, 1, 1,
                              with([](TrainConfig& c, std::int64_t v) { c.data.batch_size = v; })));
  if (!(output_size(config_.data.transform) == Size{})) {
    const std::int64_t last = round_up(rule.minimum, rule.multiple);
    const std::int64_t first = (config_.data.transform.crop_size - 1) / rule.multiple * rule.multiple;
    add("--crop-size", largest(first, rule.multiple, last,
                               with([](TrainConfig& c, std::int64_t v) { c.data.transform.crop_size = v; })));
  }
  add("--ngf", largest(std::llround(width_of(config_)) - 1, 1, 1,
                       with([](TrainConfig& c, std::int64_t v) { set_option(c, "ngf", v); })));
  return all.empty() ? "no smaller batch, crop or width alone would fit" : join(all, " or ") + " would fit";
}

void RunEstimate::require_room() const {
  if (!on_cpu_ || fits(config_, 1)) return;
  const double total = memory().total();
  fail_usage(
      "this run would take {}{} of memory, {} more than now, but {} {}; {}; --force tries it nevertheless",
      trials_.empty() ? "more than " : "about ", human_bytes(total), human_bytes(total - already_),
      room_.bound, human_bytes(room_.bytes), what_fits());
}

}  // namespace torsor
