#include "evaluate/best_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/safetensors.h"
#include "model/direction.h"
#include "model/model_file.h"

namespace torsor {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

WatchedMetric::WatchedMetric(std::string wanted, const Observer& source, const std::string& option)
    : wanted_(std::move(wanted)) {
  const std::vector<std::string> published = source.scalar_names();
  for (const std::string& scalar : published)
    if (scalar == wanted_ || scalar == wanted_ + "_" + kAToB.name() || scalar == wanted_ + "_" + kBToA.name())
      scalars_.push_back(scalar);
  if (scalars_.empty())
    fail_usage("{}: '{}' is not evaluated{} (one of {}, or the metric alone for the mean of both directions)",
               option, wanted_, did_you_mean(wanted_, published), join(published));
  rises_ = contains(source.rising_scalars(), scalars_.front());
}

std::optional<double> WatchedMetric::value(const StepScalars& scalars) const {
  double sum = 0;
  for (const std::string& name : scalars_) {
    const std::optional<double> value = scalars.find(name);
    if (!value || std::isnan(*value)) return std::nullopt;
    sum += *value;
  }
  return sum / static_cast<double>(scalars_.size());
}

bool WatchedMetric::is_better(double value, const std::optional<double>& than) const {
  return !than || (rises_ ? value > *than : value < *than);
}

void BestValue::save(const WatchedMetric& of, ArchiveWriter& out) const {
  if (!value) return;
  out.put("metric", Json(of.name()));
  out.put("value", at::full({}, *value, at::kDouble));  // may be infinite
  out.put("step", Json(step));
}

void BestValue::load(const WatchedMetric& of, const ArchiveReader& in) {
  *this = {};
  if (!in.has_value("metric") || in.value("metric") != of.name()) return;
  value = in.tensor_like("value", at::empty({}, at::kDouble)).item<double>();
  in.take("step", [&](const Json& saved) { step = json_count(saved); });
}

BestModel::BestModel(WatchedMetric watched, std::filesystem::path file, Write write,
                     std::shared_ptr<LogSink> log)
    : watched_(std::move(watched)), file_(std::move(file)), write_(std::move(write)), log_(std::move(log)) {}

void BestModel::on_start(const TrainState& state) {
  std::error_code ec;
  if (!std::filesystem::exists(file_, ec)) return;
  const std::int64_t step = read_model_info(read_safetensors_metadata(file_), file_.string()).step;
  if (step > state.step)
    log_->notice(
        fmt::format("{}: is of step {}, and this run goes on from step {}; the next better {} replaces it",
                    file_.string(), step, state.step, watched_.name()));
}

void BestModel::after_step(TrainState& state, const StepScalars& scalars) {
  const std::optional<double> value = watched_.value(scalars);
  if (!value || !watched_.is_better(*value, best_.value)) return;
  write_(file_);
  best_ = {value, state.step};
}

void BestModel::on_end(TrainState&, EndReason) {
  if (best_.value)
    log_->notice(fmt::format("best {}: {:.4g} after step {}: {}", watched_.name(), *best_.value, best_.step,
                             file_.string()));
}

EarlyStop::EarlyStop(WatchedMetric watched, std::int64_t patience, std::shared_ptr<LogSink> log)
    : watched_(std::move(watched)), patience_(patience), log_(std::move(log)) {}

void EarlyStop::after_step(TrainState& state, const StepScalars& scalars) {
  const std::optional<double> value = watched_.value(scalars);
  if (!value) return;
  if (watched_.is_better(*value, best_.value)) {
    best_ = {value, state.step};
    in_vain_ = 0;
    return;
  }
  if (++in_vain_ < patience_) return;
  log_->notice(
      fmt::format("--early-stop: {} evaluations have not improved {}, which was best after step {} ({:.4g}): "
                  "the run ends",
                  in_vain_, watched_.name(), best_.step, *best_.value));
  state.total_steps = state.step;
}

void EarlyStop::save(ArchiveWriter& out) const {
  best_.save(watched_, out);
  if (best_.value) out.put("in_vain", Json(in_vain_));
}

void EarlyStop::load(const ArchiveReader& in) {
  best_.load(watched_, in);
  if (best_.value) in.take("in_vain", [&](const Json& saved) { in_vain_ = json_count(saved); });
}

}  // namespace torsor
