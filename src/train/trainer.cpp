#include "train/trainer.h"

#include <cmath>

#include "core/allocation.h"
#include "core/text.h"

namespace torsor {

namespace {

void require_finite(const StepReport& report, const TrainState& state) {
  for (const auto& [name, value] : report.losses) {
    if (std::isfinite(value)) continue;
    const std::string rescue = state.last_checkpoint.empty()
                                   ? "no checkpoint had been written yet"
                                   : "the last good checkpoint is " + state.last_checkpoint;
    throw DivergedError(fmt::format(
        "step {} (epoch {}): loss {} is {}; images: {}; {}; try a lower --lr, --precision fp32, or look at "
        "these images",
        state.step + 1, state.epoch + 1, name, value, join(report.items), rescue));
  }
}

}  // namespace

EndReason Trainer::run(const StopFlag& stop) {
  GradientSync sync;
  StepContext context{loader_, state_.rng, sync};
  for (auto& observer : observers_) observer->on_start(state_);
  while (!state_.finished() && !stop.requested()) {
    schedule_.apply(state_, model_.optimizers());
    const StepReport report =
        for_purpose(fmt::format("step {} of the training", state_.step + 1),
                    "lower --batch-size, --crop-size or --ngf", [&] { return model_.step(context); });
    require_finite(report, state_);
    state_.advance(report, loader_.position());
    for (auto& observer : observers_) observer->after_step(state_, report);
  }
  const EndReason reason = state_.finished() ? EndReason::finished : EndReason::stopped;
  for (auto& observer : observers_) observer->on_end(state_, reason);
  return reason;
}

void Trainer::set_length(std::int64_t epochs, std::int64_t epochs_decay, std::int64_t steps) {
  schedule_.set_length(epochs, epochs_decay);
  state_.epochs = epochs + epochs_decay;
  state_.total_steps = steps;
}

void Trainer::save(Archive& archive) const {
  // A step can spoil the weights while its own loss, computed before, is still finite.
  const std::string spoilt = non_finite_weight(model_);
  if (!spoilt.empty())
    throw DivergedError(fmt::format(
        "step {}: weight {} is not finite; {}; try a lower --lr", state_.step, spoilt,
        state_.last_checkpoint.empty() ? "no checkpoint had been written yet"
                                       : "the last good checkpoint is " + state_.last_checkpoint));
  model_.save(archive);
  state_.save(archive);
  archive.put("train/schedule", schedule_.save());
  for (const auto& observer : observers_) observer->save(archive);
}

void Trainer::load(const Archive& archive) {
  model_.load(archive);
  state_.load(archive);
  state_.loader = loader_.position();
  state_.epoch = state_.loader.epoch;
  archive.take("train/schedule", [&](const Json& saved) { schedule_.load(saved); });
}

void Trainer::load_observers(const Archive& archive) {
  for (const auto& observer : observers_) observer->load(archive);
}

}  // namespace torsor
