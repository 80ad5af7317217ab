// What a training does when a metric improves, and when it no longer does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/log.h"
#include "train/evaluation_options.h"
#include "train/trainer.h"

namespace torsor {

/// A published scalar, or the mean of those of one metric in all directions.
class WatchedMetric {
 public:
  /// `wanted`: the name of a scalar that `source` publishes, or what stands before "_a_to_b" in it. Throws
  /// UsageError naming `option` for another.
  WatchedMetric(std::string wanted, const Observer& source, const std::string& option);

  const std::string& name() const { return wanted_; }
  /// Nothing at a step at which it was not published, or is NaN.
  std::optional<double> value(const StepScalars& scalars) const;
  /// Any value is better than none.
  bool is_better(double value, const std::optional<double>& than) const;

 private:
  std::string wanted_;
  std::vector<std::string> scalars_;
  bool rises_ = false;
};

/// The best value so far, of what is now watched.
struct BestValue {
  std::optional<double> value;
  std::int64_t step = 0;

  void save(const WatchedMetric& of, ArchiveWriter& out) const;
  /// Stays without a value where the checkpoint's is of another metric.
  void load(const WatchedMetric& of, const ArchiveReader& in);
};

/// --keep-best: calls `write` with the file whenever the metric has never been better.
class BestModel : public Observer {
 public:
  using Write = std::function<void(const std::filesystem::path&)>;
  BestModel(WatchedMetric watched, std::filesystem::path file, Write write, std::shared_ptr<LogSink> log);
  std::string name() const override { return "best"; }
  /// Says so when the file is of a step that this run has not reached, as a process that was killed may leave
  /// it.
  void on_start(const TrainState& state) override;
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void on_end(TrainState& state, EndReason reason) override;
  void save(ArchiveWriter& out) const override { best_.save(watched_, out); }
  void load(const ArchiveReader& in) override { best_.load(watched_, in); }

 private:
  WatchedMetric watched_;
  std::filesystem::path file_;
  Write write_;
  std::shared_ptr<LogSink> log_;
  BestValue best_;
};

/// --early-stop: ends the run after `patience` evaluations in a row that were no better than the best before
/// them. A run that is resumed goes on to its next evaluation.
class EarlyStop : public Observer {
 public:
  EarlyStop(WatchedMetric watched, std::int64_t patience, std::shared_ptr<LogSink> log);
  std::string name() const override { return "early_stop"; }
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void save(ArchiveWriter& out) const override;
  void load(const ArchiveReader& in) override;

 private:
  WatchedMetric watched_;
  std::int64_t patience_;
  std::shared_ptr<LogSink> log_;
  BestValue best_;
  std::int64_t in_vain_ = 0;  // evaluations since then
};

}  // namespace torsor
