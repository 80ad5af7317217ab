#include "train/state.h"

#include <cmath>

namespace torsor {

namespace {
constexpr double kSmoothing = 0.98;
}

void LossMeters::add(const StepScalars& scalars) {
  for (const auto& [name, value] : scalars.losses()) {
    sums_[name] += value;
    const auto found = smoothed_.find(name);
    if (found == smoothed_.end())
      smoothed_[name] = value;
    else
      found->second = kSmoothing * found->second + (1 - kSmoothing) * value;
  }
  ++steps_;
  for (const auto& [name, value] : scalars.published()) {
    if (!std::isfinite(value)) continue;  // would be all that is left of the mean, and JSON could not hold it
    sums_[name] += value;
    ++published_[name];
  }
}

void LossMeters::end_epoch() {
  if (steps_ == 0) return;
  last_epoch_.clear();
  for (const auto& [name, sum] : sums_) {
    const auto times = published_.find(name);
    last_epoch_[name] = sum / static_cast<double>(times == published_.end() ? steps_ : times->second);
  }
  sums_.clear();
  published_.clear();
  steps_ = 0;
}

Json LossMeters::save() const {
  Json out = {{"sums", sums_}, {"smoothed", smoothed_}, {"last_epoch", last_epoch_}, {"steps", steps_}};
  if (!published_.empty()) out["published"] = published_;
  return out;
}

void LossMeters::load(const Json& saved) {
  saved.at("sums").get_to(sums_);
  saved.at("smoothed").get_to(smoothed_);
  saved.at("last_epoch").get_to(last_epoch_);
  steps_ = json_count(saved.at("steps"));
  published_.clear();
  if (saved.contains("published"))
    for (const auto& [name, times] : saved.at("published").items()) published_[name] = json_count(times);
}

void TrainState::advance(const LoaderPosition& position) {
  ++step;
  step_epoch = epoch;
  epoch = position.epoch;
  loader = position;
}

void TrainState::take(const StepScalars& scalars) {
  meters.add(scalars);
  if (epoch > step_epoch) meters.end_epoch();
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
