// How the trainings of an audit show themselves: their progress, and what goes wrong.
#pragma once

#include <string>

#include "core/log.h"
#include "train/trainer.h"

namespace torsor {

/// Passes warnings on, with `what` before them. Notices of a training say what the audit has said already.
class TrainingLog : public LogSink {
 public:
  /// `to` outlives it.
  TrainingLog(LogSink& to, std::string what) : to_(to), what_(std::move(what)) {}
  void notice(const std::string&) override {}
  void warning(const std::string& line) override { to_.warning(what_ + ": " + line); }

 private:
  LogSink& to_;
  std::string what_;
};

/// Says a hundred times in all how far the training is.
class TrainingWatch : public Observer {
 public:
  /// `to` outlives it.
  TrainingWatch(LogSink& to, std::string what) : to_(to), what_(std::move(what)) {}
  std::string name() const override { return "audit_watch"; }
  void after_step(TrainState& state, const StepScalars& scalars) override;

 private:
  LogSink& to_;
  std::string what_;
};

}  // namespace torsor
