#include "train/state.h"

namespace torsor {

namespace {
constexpr double kSmoothing = 0.98;
}

void LossMeters::add(const StepReport& report) {
  for (const auto& [name, value] : report.losses) {
    sums_[name] += value;
    const auto found = smoothed_.find(name);
    if (found == smoothed_.end())
      smoothed_[name] = value;
    else
      found->second = kSmoothing * found->second + (1 - kSmoothing) * value;
  }
  ++steps_;
}

void LossMeters::end_epoch() {
  if (steps_ == 0) return;
  last_epoch_.clear();
  for (const auto& [name, sum] : sums_) last_epoch_[name] = sum / static_cast<double>(steps_);
  sums_.clear();
  steps_ = 0;
}

Json LossMeters::save() const {
  return {{"sums", sums_}, {"smoothed", smoothed_}, {"last_epoch", last_epoch_}, {"steps", steps_}};
}

void LossMeters::load(const Json& saved) {
  saved.at("sums").get_to(sums_);
  saved.at("smoothed").get_to(smoothed_);
  saved.at("last_epoch").get_to(last_epoch_);
  steps_ = json_count(saved.at("steps"));
}

void TrainState::advance(const StepReport& report, const LoaderPosition& position) {
  ++step;
  step_epoch = epoch;
  meters.add(report);
  if (position.epoch > epoch) meters.end_epoch();
  epoch = position.epoch;
  loader = position;
}

void TrainState::save(Archive& archive) const {
  archive.put("train/state", Json{{"step", step},
                                  {"epoch", epoch},
                                  {"step_epoch", step_epoch},
                                  {"lr", lr},
                                  {"loader", {{"epoch", loader.epoch}, {"batch", loader.batch}}},
                                  {"meters", meters.save()},
                                  {"rng", rng.save()}});
}

void TrainState::load(const Archive& archive) {
  archive.take("train/state", [&](const Json& saved) {
    step = json_count(saved.at("step"));
    epoch = json_count(saved.at("epoch"));
    step_epoch = json_count(saved.at("step_epoch"));
    saved.at("lr").get_to(lr);
    loader = {json_count(saved.at("loader").at("epoch")), json_count(saved.at("loader").at("batch"))};
    meters.load(saved.at("meters"));
    rng.load(saved.at("rng"));
  });
}

}  // namespace torsor
