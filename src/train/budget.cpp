#include "train/budget.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "data/data_source.h"

namespace torsor {

namespace {

constexpr double kBudgetShare =
    0.88;  // of the time that is planned; the rest is for data, samples, checkpoints, a slower spell
constexpr double kEnoughSteps = 4000;   // below that even small images learn little
constexpr double kShareForSteps = 0.8;  // of the memory there is, for the steps alone
const std::string kUsed = "used";
const std::string kUsedOnce = "train/budget_used";  // before observers had prefixes of their own
constexpr double kLeastReserve = 0.02;              // of a budget, for what ends a run
constexpr double kMostReserve = 0.1;
constexpr double kReserveOfSlowest = 1.5;

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

// What a preset names is the most that its user had in mind.
bool exceeds_preset(const ModelSize& c, const TrainConfig& config) {
  if (config.run.preset.empty()) return false;
  const Json preset = train_preset(config.run.preset, *config.model);
  return c.crop > preset.at("crop_size") || c.width > preset.at("ngf");
}

void apply(const ModelSize& c, TrainConfig& config, const std::vector<std::string>& fixed) {
  const auto is_fixed = [&](const char* name) { return contains(fixed, name); };
  TransformOptions& t = config.data.transform;
  if (!is_fixed("crop_size")) t.crop_size = c.crop;
  if (!is_fixed("load_size"))
    t.load_size =
        is_drawn(config.data.data) ? t.crop_size : std::llround(1.12 * static_cast<double>(t.crop_size));
  if (!is_fixed("ngf")) set_option(config, "ngf", c.width);
  if (!is_fixed("ndf")) set_option(config, "ndf", c.width);
  if (!is_fixed("net_g")) set_option(config, "net_g", c.net_g);
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

std::string fit_to_budget(TrainConfig& config, double seconds, std::int64_t dataset_size,
                          const std::vector<std::string>& fixed, const StepMeter& measure, double room) {
  const double planned = seconds * kBudgetShare;
  std::optional<TrainConfig> chosen;
  StepCost cost;
  double steps = 0;
  const std::vector<ModelSize> candidates = config.model->sizes();
  for (const ModelSize& candidate : candidates) {
    if (exceeds_preset(candidate, config)) continue;
    TrainConfig trial = config;
    apply(candidate, trial, fixed);
    if (!is_usable(trial)) continue;
    chosen = trial;
    // A scaled trial weeds out what is far too slow; what is left is timed at its own size.
    const StepCost guess = measure(trial, Trial::scaled);
    if (planned / guess.seconds < kEnoughSteps / 2 || guess.bytes > kShareForSteps * room) continue;
    cost = measure(trial, Trial::full);
    steps = planned / cost.seconds;
    if (steps >= kEnoughSteps) break;
  }
  if (!chosen) {
    TrainConfig largest = config;
    apply(candidates.front(), largest, fixed);
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
      config.run.time_budget.empty() ? human_duration(seconds) : config.run.time_budget,
      config.data.transform.crop_size, config.data.transform.crop_size,
      option_value(config, "net_g").get<std::string>(), option_value(config, "ngf").get<std::int64_t>(),
      cost.seconds, config.schedule.epochs, config.schedule.epochs_decay,
      config.data.epoch_size > 0 ? config.data.epoch_size : dataset_size, scheduled,
      steps < kEnoughSteps ? "; that is little: expect a first impression, not a result" : "");
}

double budget_interval(double budget) { return std::min(budget / 10, 600.0); }

Length corrected(const Length& now, const TrainState& state, std::int64_t steps_per_epoch,
                 std::int64_t steps_left) {
  Length out = now;
  out.steps = state.step + std::max<std::int64_t>(0, steps_left);
  const std::int64_t total = std::max<std::int64_t>(1, (out.steps + steps_per_epoch - 1) / steps_per_epoch);
  const std::int64_t begun = state.step / steps_per_epoch;  // epochs that are over, whose rates stand
  const double share = static_cast<double>(now.epochs) / static_cast<double>(now.epochs + now.epochs_decay);
  if (begun < now.epochs)
    out.epochs = std::max<std::int64_t>(begun, std::llround(share * static_cast<double>(total)));
  out.epochs = std::min<std::int64_t>(out.epochs, total);
  out.epochs_decay = total - out.epochs;
  return out;
}

BudgetKeeper::BudgetKeeper(double budget, double interval, std::int64_t steps_per_epoch, Length planned,
                           Clock clock, Apply apply)
    : budget_(budget),
      interval_(interval),
      steps_per_epoch_(steps_per_epoch),
      length_(planned),
      clock_(std::move(clock)),
      apply_(std::move(apply)) {}

double BudgetKeeper::used_before(const Archive& checkpoint) {
  double used = 0;
  const auto read = [&](const Json& saved) { saved.get_to(used); };
  const ArchiveReader own(checkpoint, observer_prefix(kName));
  if (own.has_value(kUsed))
    own.take(kUsed, read);
  else if (checkpoint.has_value(kUsedOnce))
    checkpoint.take(kUsedOnce, read);
  return used;
}

void BudgetKeeper::save(ArchiveWriter& out) const { out.put(kUsed, Json(clock_())); }

void BudgetKeeper::on_start(const TrainState& state) {
  last_step_ = last_correction_ = clock_();
  step_of_correction_ = state.step;
}

// The end writes a checkpoint, samples and the model; the slowest step had some of these behind it.
double BudgetKeeper::reserve() const {
  return std::clamp(kReserveOfSlowest * (slowest_ - quickest_), kLeastReserve * budget_,
                    kMostReserve * budget_);
}

void BudgetKeeper::after_step(TrainState& state, const StepScalars&) {
  const double now = clock_(), took = now - last_step_;
  last_step_ = now;
  slowest_ = std::max(slowest_, took);
  quickest_ = quickest_ == 0 ? took : std::min(quickest_, took);
  const bool over = now + quickest_ > budget_ - reserve();
  if (state.finished()) {
    // A corrected length may end within an epoch; a resumed run shall find that nothing is left.
    const std::int64_t scheduled = (length_.epochs + length_.epochs_decay) * steps_per_epoch_;
    if (length_.steps == state.step && scheduled != state.step) apply_(length_);
    return;
  }
  if (!over && now - last_correction_ < interval_) return;
  const double a_step = (now - last_correction_) / static_cast<double>(state.step - step_of_correction_);
  const double left = over ? 0 : (budget_ - reserve() - now) / a_step;
  const Length length = corrected(length_, state, steps_per_epoch_, static_cast<std::int64_t>(left));
  last_correction_ = now;
  step_of_correction_ = state.step;
  if (length == length_) return;
  length_ = length;
  apply_(length);
}

}  // namespace torsor
