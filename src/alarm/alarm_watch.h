// The observer that looks for signs of a training that goes wrong, and says so.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alarm/alarms.h"
#include "core/log.h"
#include "train/alarm_options.h"
#include "train/session.h"
#include "train/trainer.h"

namespace torsor {

/// Every alarm_every steps asks all alarms about each direction. One that has found something at as many
/// looks in a row as it wants is given as a warning: once, and again when it was over in between. Those of
/// stop_on call `stop` then. Which alarms are on, and for how many looks each has found something, is saved
/// and restored.
class AlarmWatch : public Observer {
 public:
  using Gather = std::function<std::vector<DirectedEvidence>()>;
  using Stop = std::function<void()>;

  /// Throws UsageError for a name in stop_on that is no alarm.
  AlarmWatch(const AlarmOptions& options, Gather gather, std::shared_ptr<LogSink> log, Stop stop);

  std::string name() const override { return "alarms"; }
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void save(ArchiveWriter& out) const override;
  void load(const ArchiveReader& in) override;

 private:
  struct Record {
    std::int64_t in_a_row = 0;  // looks that found something, up to the last
    bool on = false;            // given, and not over
  };

  void take(const std::string& name, const Direction& direction, const std::optional<AlarmFinding>& finding,
            std::int64_t step);
  void give(const std::string& name, const Direction& direction, const AlarmFinding& finding,
            std::int64_t step);

  std::int64_t every_;
  std::vector<std::string> stops_;
  Gather gather_;
  std::shared_ptr<LogSink> log_;
  Stop stop_;
  std::map<std::string, Record> records_;  // by "<alarm>/<direction>"
};

/// The watch that a training's AlarmOptions ask for, to be given to session.run(); null where alarm_every is
/// 0. The session must outlive it. `stop` ends the run as a signal does. Throws as AlarmWatch does.
std::unique_ptr<Observer> alarm_observer(TrainSession& session, const std::shared_ptr<LogSink>& log,
                                         AlarmWatch::Stop stop);

}  // namespace torsor
