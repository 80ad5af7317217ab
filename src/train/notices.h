// What a run had to say, kept in its folder: warnings are read long after the terminal is closed.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/log.h"
#include "telemetry/jsonl.h"
#include "train/trainer.h"

namespace torsor {

/// Hands everything on to another sink, and keeps notices and warnings: in memory until the run directory is
/// there, then as lines of notices.jsonl: step, level ("notice", "warning" or
/// "failure"), text.
class NoticeLog : public LogSink {
 public:
  explicit NoticeLog(std::shared_ptr<LogSink> next) : next_(std::move(next)) {}
  void notice(const std::string& line) override;
  void warning(const std::string& line) override;
  void progress(const std::string& what, std::int64_t done, std::int64_t total) override;

  /// Keeps a line that somebody else says.
  void failure(const std::string& line) { keep("failure", line); }

  /// Writes what there is, and from now on at once. Lines of steps after `step` are set aside (rewind_jsonl).
  /// Throws Error when the file cannot be written.
  void open(const std::filesystem::path& path, std::int64_t step);
  /// Lines that come now belong to this step.
  void reach(std::int64_t step) { step_ = step; }

 private:
  void keep(const char* level, const std::string& line);
  void write(const Json& line);

  std::shared_ptr<LogSink> next_;
  std::mutex mutex_;  // loader threads report too
  std::vector<Json> waiting_;
  std::filesystem::path path_;     // "" until open()
  std::optional<JsonlFile> file_;  // from the first line on: a run without any has no such file
  bool forgetting_ = false;        // the file cannot be written any more
  std::atomic<std::int64_t> step_{0};
};

/// Opens a NoticeLog when the training begins, and tells it the step.
class NoticeKeeper : public Observer {
 public:
  NoticeKeeper(std::shared_ptr<NoticeLog> log, std::filesystem::path path)
      : log_(std::move(log)), path_(std::move(path)) {}
  std::string name() const override { return "notices"; }
  void on_start(const TrainState& state) override { log_->open(path_, state.step); }
  void after_step(TrainState& state, const StepScalars&) override { log_->reach(state.step); }

 private:
  std::shared_ptr<NoticeLog> log_;
  std::filesystem::path path_;
};

}  // namespace torsor
