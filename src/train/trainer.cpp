#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/allocation.h"
#include "core/text.h"
#include "train/ranks.h"

namespace torsor {

namespace {

void require_finite(const StepReport& report, const TrainState& state, const Context& context) {
  for (const auto& [name, value] : report.losses) {
    if (std::isfinite(value)) continue;
    const std::string rescue = state.last_checkpoint.empty()
                                   ? "no checkpoint had been written yet"
                                   : "the last good checkpoint is " + state.last_checkpoint;
    const std::string whose =
        context.is_alone() ? "" : fmt::format(" of rank {} (the loss is a mean over all)", context.rank());
    throw DivergedError(fmt::format(
        "step {} (epoch {}): loss {} is {}; images{}: {}; {}; try a lower --lr, --precision fp32, or look at "
        "these images",
        state.step + 1, state.epoch + 1, name, value, whose, join(report.items), rescue));
  }
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string observer_prefix(const std::string& name) { return "observer/" + name; }

void Trainer::add(std::unique_ptr<Observer> observer) {
  const std::string name = observer->name();
  if (name.empty() || name.find('/') != std::string::npos)
    throw std::logic_error("no name of an observer: '" + name + "'");
  std::vector<std::string> scalars = model_.loss_names();
  for (const auto& other : observers_) {
    if (other->name() == name) throw std::logic_error("two observers are called " + name);
    for (std::string& taken : other->scalar_names()) scalars.push_back(std::move(taken));
  }
  for (const std::string& scalar : observer->scalar_names()) {
    if (scalar.empty() || contains(scalars, scalar))
      throw std::logic_error("observer " + name + ": the scalar's name '" + scalar + "' is taken or none");
    scalars.push_back(scalar);
  }
  observers_.push_back(std::move(observer));
}

template <class Call>
void Trainer::call_observers(const Call& call) {
  for (auto& observer : observers_) call(*observer);
  if (checkpointer_) call(*checkpointer_);
}

EndReason Trainer::run(const StopFlag& stop) {
  GradientMean sync(context_);
  StepContext context{loader_, state_.rng, sync};
  share_weights(model_, context_);
  call_observers([&](Observer& observer) { observer.on_start(state_); });
  while (!state_.finished() && !on_any_rank(context_, stop.requested())) step(context);
  const EndReason reason = state_.finished() ? EndReason::finished : EndReason::stopped;
  call_observers([&](Observer& observer) { observer.on_end(state_, reason); });
  return reason;
}

void Trainer::step(StepContext& context) {
  schedule_.apply(state_, model_.optimizers());
  StepReport report =
      for_purpose(fmt::format("step {} of the training", state_.step + 1),
                  "lower --batch-size, --crop-size or --ngf", [&] { return model_.step(context); });
  model_.update_average();
  share_report(report, context_);
  require_finite(report, state_, context_);
  state_.advance(loader_.position());
  StepScalars scalars(report);
  publish(scalars);
  state_.take(scalars);
  call_observers([&](Observer& observer) { observer.after_step(state_, scalars); });
  share_length();
}

void Trainer::publish(StepScalars& scalars) {
  for (auto& observer : observers_) {
    const std::size_t before = scalars.all().size();
    observer->publish(state_, scalars);
    if (scalars.all().size() == before) continue;
    const std::vector<std::string> announced = observer->scalar_names();
    for (const auto& [name, value] : scalars.all().subspan(before))
      if (!contains(announced, name))
        throw std::logic_error("observer " + observer->name() + " has not announced the scalar " + name);
  }
  share_scalars(scalars, context_);
}

// An observer of rank 0 may have changed it.
void Trainer::share_length() {
  if (context_.is_alone()) return;
  const ScheduleOptions& schedule = schedule_.options();
  const Json length = from_first(context_, {schedule.epochs, schedule.epochs_decay, state_.total_steps});
  if (!context_.is_first()) set_length(length.at(0), length.at(1), length.at(2));
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
  for (const auto& observer : observers_) {
    ArchiveWriter own(archive, observer_prefix(observer->name()));
    observer->save(own);
  }
}

void Trainer::load(const Archive& archive) {
  model_.load(archive);
  state_.load(archive);
  state_.loader = loader_.position();
  state_.epoch = state_.loader.epoch;
  archive.take("train/schedule", [&](const Json& saved) { schedule_.load(saved); });
}

void Trainer::load_observers(const Archive& archive) {
  for (const auto& observer : observers_) {
    const std::string prefix = observer_prefix(observer->name());
    if (archive.has_under(prefix)) observer->load({archive, prefix});
  }
}

}  // namespace torsor
