#include "app/progress.h"

#include <unistd.h>

#include <chrono>
#include <iostream>

#include "core/text.h"

namespace torsor::app {

namespace {

constexpr double kBarSeconds = 0.2;  // between redraws of the bar
constexpr double kLineSeconds = 10;  // between plain lines

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string bar(double share) {
  constexpr int kWidth = 20;
  const int full = static_cast<int>(share * kWidth);
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(kWidth - full), '.') + "]";
}

}  // namespace

Progress::Progress(std::ostream& out, const Loader& loader)
    : out_(out), loader_(loader), terminal_(::isatty(STDOUT_FILENO) == 1) {}

Progress::Progress(std::ostream& out, const Loader& loader, const std::string& label)
    : out_(out), loader_(loader), label_(label + ": "), terminal_(false) {}

void Progress::on_start(const TrainState& state) {
  started_ = shown_ = now();
  first_step_ = state.step;
  if (state.step > 0) announced_epoch_ = state.step_epoch;  // by the session that began it
}

std::string Progress::status(const TrainState& state) const {
  const double elapsed = now() - started_;
  const double rate = elapsed > 0 ? static_cast<double>(state.step - first_step_) / elapsed : 0;
  const double left = rate > 0 ? static_cast<double>(state.total_steps - state.step) / rate : 0;
  std::string line = fmt::format(
      "epoch {}/{}  step {}/{}  {}  left {}  wait {:.1f}%", state.step_epoch + 1, state.epochs, state.step,
      state.total_steps,
      rate >= 1 || rate == 0 ? fmt::format("{:.2f} it/s", rate) : fmt::format("{:.2f} s/it", 1 / rate),
      human_duration(left), elapsed > 0 ? 100 * loader_.seconds_waited() / elapsed : 0.0);
  for (const auto& [name, value] : state.meters.smoothed()) line += fmt::format("  {} {:.3f}", name, value);
  return line;
}

// The rate in force, once an epoch; the means of the losses follow when an epoch ends.
void Progress::announce_epoch(const TrainState& state) {
  if (state.step_epoch == announced_epoch_) return;
  announced_epoch_ = state.step_epoch;
  std::string line =
      fmt::format("epoch {}/{}: learning rate {:.7f}", state.step_epoch + 1, state.epochs, state.lr);
  if (!state.meters.last_epoch().empty()) line += "; means of the epoch before:";
  for (const auto& [name, value] : state.meters.last_epoch()) line += fmt::format(" {} {:.3f}", name, value);
  out_ << (terminal_ ? "\r\033[K" : "") + label_ + line + "\n" << std::flush;
}

void Progress::after_step(TrainState& state, const StepReport&) {
  announce_epoch(state);
  const double interval = terminal_ ? kBarSeconds : kLineSeconds;
  if (now() - shown_ < interval && !state.finished()) return;
  shown_ = now();
  if (terminal_)
    out_ << "\r\033[K" << bar(static_cast<double>(state.step) / static_cast<double>(state.total_steps)) << ' '
         << status(state) << std::flush;
  else
    out_ << label_ + status(state) + "\n" << std::flush;
}

void Progress::on_end(TrainState& state, EndReason) {
  if (terminal_) out_ << "\r\033[K" << status(state) << std::endl;
}

}  // namespace torsor::app
