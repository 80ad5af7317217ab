// How a command tells how far it is: a bar on a terminal, plain lines elsewhere, JSON for programs.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/terminal.h"
#include "core/json.h"
#include "core/log.h"
#include "core/options.h"

namespace torsor::app {

/// Who reads what a command says in addition to its result.
enum class Audience { people, program, nobody };

/// --quiet and --json-progress.
struct ProgressOptions {
  bool quiet = false;
  bool json_progress = false;

  void describe(OptionSet& o);
  /// Throws UsageError when both are given.
  void validate() const;
  /// For a command that prints its result as JSON. Throws UsageError for --json-progress, which writes there
  /// too.
  void leave_output_to_json() const;
  Audience audience() const;
};

/// How far some work is.
struct ProgressState {
  std::int64_t done = 0, total = 0;  // of any unit; total 0 = not known
  std::vector<std::string> parts;    // for people, the most important first: what does not fit is left out
  Json more = Json::object();  // what a JSON line holds in addition to done, total, seconds, seconds_left
};

/// Shows the progress of one piece of work. All members may be called from any thread.
class ProgressDisplay {
 public:
  enum class When { if_due, now };

  /// Plain lines come every `line_seconds`; the first of them after as long.
  ProgressDisplay(Audience audience, Stream stream, double line_seconds = 10);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// The clock starts again, with that much done before.
  void start(std::int64_t done = 0);

  /// Redraws the bar (5 times a second), or writes a plain line or a JSON object {"event": "progress",
  /// "done", "total", "seconds", "seconds_left", and state.more} (once a second), each when it is due or now.
  void update(const ProgressState& state, When when = When::if_due);

  /// Whether update() would show anything now; for states that cost something to make.
  bool is_due() const;

  /// One or more lines for people that stay; the bar continues below them.
  void say(const std::string& line);

  /// A JSON object on a line of its own for a program; nothing for people.
  void report(const Json& event);

  /// A line on standard error that spares the bar, whoever reads.
  void say_aside(const std::string& line);

  /// Takes the bar away.
  void close();

  /// The same, and leaves its text as a line.
  void finish(const ProgressState& state);

  Audience audience() const { return audience_; }
  double seconds() const;                         // since start
  double rate(std::int64_t done) const;           // units a second since start; 0 = not known
  double left(const ProgressState& state) const;  // seconds to the end at that rate; 0 = not known

 private:
  double interval() const;
  std::string bar_line(const ProgressState& state) const;
  void erase();
  void draw();

  const Audience audience_;
  const Stream stream_;
  const bool terminal_;
  const double line_seconds_;
  mutable std::mutex mutex_;
  ProgressState state_;
  bool drawn_ = false;
  double started_ = 0, shown_ = 0;
  std::int64_t first_ = 0;
};

/// Notices and warnings on standard error, above the bar where there is one. Notices are for people who did
/// not ask for quiet.
class ConsoleLog : public LogSink {
 public:
  explicit ConsoleLog(std::shared_ptr<ProgressDisplay> display) : display_(std::move(display)) {}
  void notice(const std::string& line) override;
  void warning(const std::string& line) override;
  void progress(const std::string& what, std::int64_t done, std::int64_t total) override;

  const std::shared_ptr<ProgressDisplay>& display() const { return display_; }

 private:
  std::shared_ptr<ProgressDisplay> display_;
};

/// The same for work in parts, whose progress is told one after the other: each has a clock of its own.
class PartsLog : public ConsoleLog {
 public:
  using ConsoleLog::ConsoleLog;
  void progress(const std::string& what, std::int64_t done, std::int64_t total) override;

 private:
  std::mutex mutex_;
  std::string what_;
};

}  // namespace torsor::app
