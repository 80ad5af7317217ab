// From a configuration to a run: data, model, trainer and run directory put together.
#pragma once

#include <memory>
#include <optional>

#include "core/log.h"
#include "model/model_file.h"
#include "train/budget.h"
#include "train/config.h"
#include "train/observers.h"
#include "train/resume.h"
#include "train/train_data.h"

namespace torsor {

/// A whole training run; construct, add observers, run(). On several ranks each makes one with the same
/// configuration: batches are of batch_size images on every rank, epochs of as many steps fewer. Rank 0 alone
/// makes the run directory and has observers, so that nothing is written twice.
class TrainSession {
 public:
  /// Checks everything but --plateau-loss, opens the data (unless `data` is what open_data() gave for this
  /// configuration) and builds the model; writes nothing. Throws UsageError or Error.
  TrainSession(TrainConfig config, std::shared_ptr<LogSink> log, Occupied occupied = Occupied::refuse,
               TrainData data = {}, Context& context = single_rank());

  /// Resumes from `point` with the configuration that resumed_config made. Warns when images, machine or
  /// libraries have changed: the continuation is then not the same run to the bit. One rank only: a
  /// checkpoint has only rank 0's streams and pools.
  TrainSession(ResumedConfig resumed, ResumePoint point, std::shared_ptr<LogSink> log, TrainData data = {});

  /// Makes the run directory (or continues in that of the resumed run), trains, and writes the final model
  /// when the schedule's or --steps' end is reached (also when stopped, so that a stopped run can be used).
  /// Observers: log, samples, time budget, and `extra`; after all of them, checkpoints. `used`: seconds of a
  /// time budget that were used before. Throws UsageError, before anything is written, when --plateau-loss is
  /// none of the scalars that these have. Every rank passes the same `extra`; those of rank 0 are used.
  EndReason run(const StopFlag& stop, std::vector<std::unique_ptr<Observer>> extra, double used = 0);

  const TrainConfig& config() const { return config_; }
  const TrainData& data() const { return data_; }
  Model& model() { return *model_; }
  const Loader& loader() const { return *loader_; }
  const TrainState& state() const { return trainer_->state(); }
  std::int64_t steps_per_epoch() const;
  RunDirectory directory() const { return RunDirectory(config_.run.out); }

  /// Description of the model as it is now.
  ModelInfo model_info() const;
  ValueRange sample_range() const;
  /// Networks only, as a self-describing model file.
  void write_model(const std::filesystem::path& path) const;

 private:
  void write_checkpoint(const std::filesystem::path& path) const;
  void open();
  void inherit_anchors(const std::vector<std::string>& of_the_beginning);
  void take_up();
  void open_directory();
  Sampler::Display add_display();
  void add_observers(std::vector<std::unique_ptr<Observer>> extra, double used);
  void keep_budget(double used);
  void take_length(const Length& length, double used);
  Cadence checkpoint_cadence() const;
  void note_session() const;

  TrainConfig config_;
  std::shared_ptr<LogSink> log_;
  Context& context_;
  Placement placement_;
  std::optional<ResumePoint> resumed_;
  std::vector<OptionChange> changes_;
  ImagePaths image_paths_;
  Occupied occupied_ = Occupied::refuse;
  std::optional<RunLock> lock_;
  TrainData data_;
  std::vector<std::string> anchors_;  // ModelInfo::anchors
  std::unique_ptr<Model> model_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace torsor
