#include "alarm/alarm_watch.h"

#include <algorithm>
#include <utility>

#include "alarm/evidence_gatherer.h"
#include "core/error.h"

namespace torsor {

AlarmWatch::AlarmWatch(const AlarmOptions& options, Gather gather, std::shared_ptr<LogSink> log, Stop stop)
    : every_(options.alarm_every),
      stops_(options.stops()),
      gather_(std::move(gather)),
      log_(std::move(log)),
      stop_(std::move(stop)) {
  for (const std::string& name : stops_)
    if (!alarms().has(name))
      fail_usage("--stop-on: unknown alarm '{}'{} (one of {})", printable(name),
                 did_you_mean(name, alarms().names()), join(alarms().names()));
}

void AlarmWatch::after_step(TrainState& state, const StepScalars&) {
  if (every_ == 0 || state.step % every_ != 0) return;
  for (const auto& [direction, evidence] : gather_())
    for (const auto& [name, finding] : look_for_all(evidence)) take(name, direction, finding, state.step);
}

void AlarmWatch::take(const std::string& name, const Direction& direction,
                      const std::optional<AlarmFinding>& finding, std::int64_t step) {
  Record& record = records_[name + "/" + direction.name()];
  if (finding) {
    ++record.in_a_row;
    if (record.on || record.in_a_row < alarms().at(name).looks) return;
    record.on = true;
    return give(name, direction, *finding, step);
  }
  record.in_a_row = 0;
  if (std::exchange(record.on, false))
    log_->notice(fmt::format("alarm {} ({}) is over at step {}", name, direction.name(), step));
}

void AlarmWatch::give(const std::string& name, const Direction& direction, const AlarmFinding& finding,
                      std::int64_t step) {
  log_->warning(fmt::format("alarm {} ({}) at step {}: {}; {} (docs/training.md, Alarms)", name,
                            direction.name(), step, finding.text, alarms().at(name).advice));
  if (std::find(stops_.begin(), stops_.end(), name) == stops_.end()) return;
  log_->notice(fmt::format("--stop-on {}: the run ends after step {}", name, step));
  stop_();
}

void AlarmWatch::save(ArchiveWriter& out) const {
  Json saved = Json::object();
  for (const auto& [key, record] : records_) saved[key] = {{"in_a_row", record.in_a_row}, {"on", record.on}};
  out.put("records", std::move(saved));
}

void AlarmWatch::load(const ArchiveReader& in) {
  in.take("records", [&](const Json& saved) {
    records_.clear();
    for (const auto& [key, record] : saved.items())
      records_[key] = {json_count(record.at("in_a_row")), record.at("on").get<bool>()};
  });
}

std::unique_ptr<Observer> alarm_observer(TrainSession& session, const std::shared_ptr<LogSink>& log,
                                         AlarmWatch::Stop stop) {
  const AlarmOptions& options = session.config().alarms;
  if (!options.is_on()) return nullptr;
  return std::make_unique<AlarmWatch>(
      options, [gatherer = std::make_shared<EvidenceGatherer>(session)] { return gatherer->gather(); }, log,
      std::move(stop));
}

}  // namespace torsor
