#include "train/pace.h"

#include "core/text.h"

namespace torsor {

namespace {

constexpr double kStretchSeconds = 15;  // between two looks
constexpr std::int64_t kFewestSteps = 5;
constexpr double kMuchSlower = 2;
constexpr double kNotableWait = 0.3;  // of the time

}  // namespace

PaceWatch::PaceWatch(double expected, const Loader& loader, std::shared_ptr<LogSink> log,
                     std::function<MachineUse()> look)
    : expected_(expected), loader_(loader), log_(std::move(log)), look_(std::move(look)) {}

void PaceWatch::on_start(const TrainState&) {
  before_ = look_();
  waited_ = loader_.seconds_waited();
}

void PaceWatch::after_step(TrainState& state, const StepScalars&) {
  if (warned_ || ++steps_ < kFewestSteps) return;
  const MachineUse now = look_();
  const double seconds = now.seconds - before_.seconds;
  if (seconds < kStretchSeconds) return;
  const double a_step = seconds / static_cast<double>(steps_);
  if (a_step > kMuchSlower * expected_) {
    warned_ = true;
    std::string reason = hindrance(before_, now, usable_processors());
    if ((loader_.seconds_waited() - waited_) / seconds > kNotableWait)
      reason = "it waits for images; give more --loader-threads, or store the images nearer to the size used";
    if (reason.empty()) reason = "nothing on this machine shows why";
    log_->warning(fmt::format("a step takes {:.2g} s, {:.1f} times the estimate of {:.2g} s: {}", a_step,
                              a_step / expected_, expected_, reason));
  }
  before_ = now;
  waited_ = loader_.seconds_waited();
  steps_ = 0;
}

}  // namespace torsor
