#include "app/train_parts.h"

#include <cmath>

#include "alarm/alarm_watch.h"
#include "core/error.h"
#include "core/plain_text.h"
#include "evaluate/training_evaluation.h"
#include "runs/run_report.h"

namespace torsor::app {

namespace {

std::string option_text(const Json& value) {
  if (value.is_null() || value == Json("")) return "-";
  return plain_text(value);
}

// A page that cannot be made takes nothing from a training that is done.
void write_report(const TrainSession& session, LogSink& log) {
  if (!session.config().run.report) return;
  try {
    write_run_report(session.directory());
  } catch (const Error& error) {
    log.warning(fmt::format("no report is written: {}", error.what()));
  }
}

}  // namespace

void say_configuration(const TrainProgram& p, ProgressDisplay& display) {
  const bool all = p.settings.config.run.verbose;
  if (!all) display.say("options that differ from their defaults (--verbose lists all):");
  std::string group;
  for (const Option& option : p.options.options()) {
    const bool changed = option.value() != option.default_value();
    if (option.is_hidden() || !p.is_of_the_run(option.name()) || (!all && !changed)) continue;
    if (all && option.group() != group) {
      group = option.group();
      display.say(group);
    }
    std::string line = fmt::format("  {:<20} {}", option.name(), option_text(option.value()));
    if (changed) line += fmt::format("   [default: {}]", option_text(option.default_value()));
    display.say(line);
  }
}

MemoryRoom room_for(const TrainConfig& config) {
  return config.run.force ? MemoryRoom{HUGE_VAL, ""} : memory_room();
}

std::vector<std::unique_ptr<Observer>> run_observers(TrainSession& session,
                                                     const std::shared_ptr<NoticeLog>& log,
                                                     std::function<void()> stop) {
  std::vector<std::unique_ptr<Observer>> out = evaluation_observers(session, log);
  out.push_back(std::make_unique<NoticeKeeper>(log, session.directory().notices()));
  if (auto watch = alarm_observer(session, log, std::move(stop)))
    out.push_back(std::move(watch));  // after the keeper, which knows the step of what it says
  return out;
}

EndReason run_with_report(TrainSession& session, const StopFlag& stop,
                          std::vector<std::unique_ptr<Observer>> extra, NoticeLog& log, double seconds_used) {
  try {
    const EndReason reason = session.run(stop, std::move(extra), seconds_used);
    write_report(session, log);
    return reason;
  } catch (const DivergedError& error) {
    log.failure(error.what());
    write_report(session, log);
    throw;
  }
}

}  // namespace torsor::app
