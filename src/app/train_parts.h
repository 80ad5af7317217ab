// What one run and several runs of `torsor train` have in common.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/progress.h"
#include "app/train_program.h"
#include "train/estimate.h"
#include "train/notices.h"
#include "train/session.h"

namespace torsor::app {

constexpr int kEndedByAlarm = 3;  // exit code

/// All options with --verbose, else those that differ from their defaults.
void say_configuration(const TrainProgram& program, ProgressDisplay& display);

/// The memory that a run may use; all of it with --force.
MemoryRoom room_for(const TrainConfig& config);

/// What watches a run in whatever company: evaluations, the keeper of its notices, alarms, of which those of
/// --stop-on call `stop`.
std::vector<std::unique_ptr<Observer>> run_observers(TrainSession& session,
                                                     const std::shared_ptr<NoticeLog>& log,
                                                     std::function<void()> stop);

/// session.run(), and the run's report; a run that came to nothing has one too, which shows how.
EndReason run_with_report(TrainSession& session, const StopFlag& stop,
                          std::vector<std::unique_ptr<Observer>> extra, NoticeLog& log,
                          double seconds_used = 0);

}  // namespace torsor::app
