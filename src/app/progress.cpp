#include "app/progress.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "core/error.h"
#include "core/text.h"

namespace torsor::app {

namespace {

constexpr double kBarSeconds = 0.2;  // between redraws of the bar
constexpr double kJsonSeconds = 1;
constexpr std::string_view kErase = "\r\033[K";

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A name from the file system need not be UTF-8.
std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Lines of text wrapped to a terminal's width.
std::string wrapped(std::string_view text, std::size_t columns) {
  std::string out;
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += wrap(text.substr(0, end), columns, 2) + "\n";
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

double share_of(const ProgressState& state) {
  if (state.total <= 0) return 0;
  return std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
}

std::string bar(double share, std::size_t cells) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  return std::string("[").append(full, '#').append(cells - full, '.').append("]");
}

}  // namespace

void ProgressOptions::describe(OptionSet& o) {
  o.group("Messages");
  o.add("quiet", quiet, "print nothing but warnings and errors").common();
  o.add("json_progress", json_progress,
        "standard output has one JSON object a line instead of text: events start, progress and end");
}

void ProgressOptions::validate() const {
  if (quiet && json_progress) fail_usage("--quiet and --json-progress contradict each other; give one");
}

void ProgressOptions::leave_output_to_json() const {
  if (json_progress) fail_usage("--json and --json-progress both write to standard output; give one");
}

Audience ProgressOptions::audience() const {
  return quiet ? Audience::nobody : json_progress ? Audience::program : Audience::people;
}

ProgressDisplay::ProgressDisplay(Audience audience, Stream stream, double line_seconds)
    : audience_(audience),
      stream_(stream),
      terminal_(audience == Audience::people && is_terminal(stream)),
      line_seconds_(line_seconds) {
  start();
}

ProgressDisplay::~ProgressDisplay() { close(); }

void ProgressDisplay::start(std::int64_t done) {
  const std::lock_guard lock(mutex_);
  started_ = shown_ = now();
  first_ = done;
}

double ProgressDisplay::seconds() const { return now() - started_; }

double ProgressDisplay::rate(std::int64_t done) const {
  const double elapsed = seconds();
  return elapsed > 0 && done > first_ ? static_cast<double>(done - first_) / elapsed : 0;
}

double ProgressDisplay::left(const ProgressState& state) const {
  const double pace = rate(state.done);
  return pace > 0 ? static_cast<double>(std::max<std::int64_t>(0, state.total - state.done)) / pace : 0;
}

double ProgressDisplay::interval() const {
  if (audience_ == Audience::program) return kJsonSeconds;
  return terminal_ ? kBarSeconds : line_seconds_;
}

bool ProgressDisplay::is_due() const {
  const std::lock_guard lock(mutex_);
  return audience_ != Audience::nobody && now() - shown_ >= interval();
}

// The last column stays free: many terminals move to the next line when it is written.
std::string ProgressDisplay::bar_line(const ProgressState& state) const {
  constexpr std::size_t kCells = 20;
  const std::size_t room = terminal_width(stream_) - 1;
  std::string line;
  if (state.total > 0 && room >= kCells) line = bar(share_of(state), std::min(kCells, room / 4)) + " ";
  bool first = true;
  for (const std::string& part : state.parts) {
    const std::string longer = line + (first ? "" : "  ") + part;
    if (display_width(longer) > room) return first ? fit(longer, room) : line;
    line = longer;
    first = false;
  }
  return line;
}

void ProgressDisplay::erase() {
  if (!drawn_) return;
  stream_of(stream_) << kErase << std::flush;
  drawn_ = false;
}

void ProgressDisplay::draw() {
  stream_of(stream_) << std::string(kErase) + bar_line(state_) << std::flush;
  drawn_ = true;
}

void ProgressDisplay::update(const ProgressState& state, When when) {
  if (audience_ == Audience::nobody) return;
  const std::lock_guard lock(mutex_);
  if (when == When::if_due && now() - shown_ < interval()) return;
  shown_ = now();
  state_ = state;
  if (audience_ == Audience::program) {
    Json line = {{"event", "progress"},
                 {"done", state.done},
                 {"total", state.total},
                 {"seconds", seconds()},
                 {"seconds_left", left(state)}};
    line.update(state.more);
    stream_of(stream_) << json_line(line) << std::flush;
  } else if (terminal_) {
    draw();
  } else {
    stream_of(stream_) << join(state.parts, "  ") + "\n" << std::flush;
  }
}

void ProgressDisplay::say(const std::string& line) {
  if (audience_ != Audience::people) return;
  const std::lock_guard lock(mutex_);
  const bool had_bar = drawn_;
  erase();
  stream_of(stream_) << (terminal_ ? wrapped(line, terminal_width(stream_)) : line + "\n") << std::flush;
  if (had_bar) draw();
}

void ProgressDisplay::report(const Json& event) {
  if (audience_ != Audience::program) return;
  const std::lock_guard lock(mutex_);
  stream_of(stream_) << json_line(event) << std::flush;
}

void ProgressDisplay::say_aside(const std::string& line) {
  const std::lock_guard lock(mutex_);
  const bool had_bar = drawn_;
  erase();
  std::cerr << line + "\n" << std::flush;
  if (had_bar) draw();
}

void ProgressDisplay::close() {
  const std::lock_guard lock(mutex_);
  erase();
}

void ProgressDisplay::finish(const ProgressState& state) {
  close();
  if (terminal_) say(join(state.parts, "  "));
}

void ConsoleLog::notice(const std::string& line) {
  if (display_->audience() != Audience::nobody) display_->say_aside(line);
}

void ConsoleLog::progress(const std::string& what, std::int64_t done, std::int64_t total) {
  ProgressState state{done, total, {}, {{"what", what}}};
  state.parts = {fmt::format("{} {}/{}", what, done, total)};
  if (display_->rate(done) > 0)
    state.parts.push_back(fmt::format("left {}", human_duration(display_->left(state))));
  display_->update(state);
}

void ConsoleLog::warning(const std::string& line) { display_->say_aside("warning: " + line); }

void PartsLog::progress(const std::string& what, std::int64_t done, std::int64_t total) {
  const std::lock_guard lock(mutex_);
  if (what != what_) display()->start(done);
  what_ = what;
  ConsoleLog::progress(what, done, total);
}

}  // namespace torsor::app
