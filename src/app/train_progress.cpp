#include "app/train_progress.h"

#include "core/text.h"

namespace torsor::app {

void TrainProgress::on_start(const TrainState& state) {
  display_->start(state.step);
  if (state.step > 0) announced_epoch_ = state.step_epoch;  // by the session that began it
}

ProgressState TrainProgress::progress(const TrainState& state) const {
  ProgressState out{state.step, state.total_steps, {}, {}};
  const double rate = display_->rate(state.step), elapsed = display_->seconds();
  const double wait = elapsed > 0 ? loader_.seconds_waited() / elapsed : 0;
  out.parts = {
      fmt::format("epoch {}/{}", state.step_epoch + 1, state.epochs),
      fmt::format("step {}/{}", state.step, state.total_steps),
      fmt::format("left {}", human_duration(display_->left(out))),
      rate >= 1 || rate == 0 ? fmt::format("{:.2f} it/s", rate) : fmt::format("{:.2f} s/it", 1 / rate),
      fmt::format("wait {:.1f}%", 100 * wait)};
  Json losses = Json::object();
  for (const auto& [name, value] : state.meters.smoothed()) {
    out.parts.push_back(fmt::format("{} {:.3f}", name, value));
    losses[name] = value;
  }
  out.more = {{"epoch", state.step_epoch + 1},
              {"epochs", state.epochs},
              {"lr", state.lr},
              {"data_wait", wait},
              {"losses", losses}};
  for (const auto& [name, value] : published_) {
    out.parts.push_back(fmt::format("{} {:.3f}", name, value));
    out.more["scalars"][name] = value;
  }
  return out;
}

// The rate in force, once an epoch; the means of the losses follow when an epoch ends.
void TrainProgress::announce_epoch(const TrainState& state) {
  if (state.step_epoch == announced_epoch_) return;
  announced_epoch_ = state.step_epoch;
  std::string line =
      fmt::format("epoch {}/{}: learning rate {:.7f}", state.step_epoch + 1, state.epochs, state.lr);
  if (!state.meters.last_epoch().empty()) line += "; means of the epoch before:";
  for (const auto& [name, value] : state.meters.last_epoch()) line += fmt::format(" {} {:.3f}", name, value);
  display_->say(line);
}

void TrainProgress::after_step(TrainState& state, const StepScalars& scalars) {
  for (const auto& [name, value] : scalars.published()) published_[name] = value;
  announce_epoch(state);
  if (state.finished())
    display_->update(progress(state), ProgressDisplay::When::now);
  else if (display_->is_due())
    display_->update(progress(state));
}

void TrainProgress::on_end(TrainState& state, EndReason) { display_->finish(progress(state)); }

}  // namespace torsor::app
