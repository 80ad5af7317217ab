// The observers that every run has: a log, sample grids, checkpoints.
#pragma once

#include <functional>
#include <optional>

#include "data/dataset.h"
#include "data/tensor_image.h"
#include "data/transform.h"
#include "image/image.h"
#include "io/run_directory.h"
#include "telemetry/event_file.h"
#include "telemetry/jsonl.h"
#include "train/cadence.h"
#include "train/scalar_log.h"
#include "train/trainer.h"

namespace torsor {

/// One JSON object at each step of a ScalarLog: step, epoch (from 1), lr, seconds, data_wait (share of time),
/// every loss, what was published. In a resumed run, lines of steps that are repeated are set aside, and the
/// seconds continue.
class JsonlLog : public ScalarLog {
 public:
  JsonlLog(std::filesystem::path path, std::int64_t every, const Loader& loader);
  std::string name() const override { return "log"; }
  /// Throws Error when the file cannot be written.
  void on_start(const TrainState& state) override;

 private:
  /// Throws std::logic_error when a scalar has the name of one of the line's own fields.
  void write(const TrainState& state, const StepScalars& scalars) override;

  std::filesystem::path path_;
  const Loader& loader_;
  std::optional<JsonlFile> file_;  // from on_start() on
  double seconds_before_ = 0;      // seconds of the run before its interruption
  double started_ = 0;
};

/// The sample grid of a step, as its file is.
struct SamplePicture {
  std::int64_t step = 0;
  EncodedPicture image;
};

/// What the cells of a run's sample grids show: the labels of a row's images, by direction (the rows of the
/// first direction stand first, as many of each), and the size of a cell within its margins.
struct GridLayout {
  std::vector<std::vector<std::string>> columns;
  Size cell;
  std::int64_t margin = 0;

  Json to_json() const;
  /// Throws Json::exception.
  static GridLayout from_json(const Json& json);
};

struct SampleGrid {
  Image image;  // u8 RGB
  GridLayout layout;
};

/// A PNG grid of fixed test images every `every` steps (0: only at the end), one row per image, rows of both
/// directions. Their GridLayout is written once, as samples.json.
class Sampler : public Observer {
 public:
  using Display = std::function<void(const SamplePicture&)>;

  /// `range` turns the model's values into pixels. Each picture that is written is shown by `display` too.
  Sampler(
      Model& model, Batch images, const ValueRange& range, RunDirectory run, std::int64_t every,
      Display display = [](const SamplePicture&) {});
  std::string name() const override { return "samples"; }
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void on_end(TrainState& state, EndReason reason) override;

 private:
  void write(const TrainState& state);

  Model& model_;
  Batch images_;
  ValueRange range_;
  RunDirectory run_;
  std::int64_t every_;
  Display display_;
  std::int64_t written_step_ = -1;
  bool described_ = false;
};

/// The same of the first images that no step of the training saw, when the run ends: held_out.png.
class HeldOutSampler : public Observer {
 public:
  HeldOutSampler(Model& model, std::shared_ptr<const Dataset> images, const ValueRange& range,
                 std::filesystem::path path)
      : model_(model), images_(std::move(images)), range_(range), path_(std::move(path)) {}
  std::string name() const override { return "held_out"; }
  void on_end(TrainState& state, EndReason reason) override;

 private:
  Model& model_;
  std::shared_ptr<const Dataset> images_;
  ValueRange range_;
  std::filesystem::path path_;
};

/// Which checkpoints stay when a new one is written.
struct Retention {
  std::int64_t last = 2;   // the newest that many
  std::int64_t every = 0;  // and those of steps that are multiples of this; 0 = no more
};

/// A checkpoint after the very first step (so that a killed run can be resumed), at every due step, and when
/// the run ends or is stopped; with a cadence of never only the last. Older ones are removed as `retention`
/// says, but never one of a later step, which belongs to another course of the run. For
/// Trainer::set_checkpointer().
class Checkpointer : public Observer {
 public:
  using Save = std::function<void(const std::filesystem::path&)>;
  Checkpointer(RunDirectory run, Cadence every, Retention retention, Save save);
  std::string name() const override { return "checkpoints"; }
  void on_start(const TrainState& state) override;
  void after_step(TrainState& state, const StepScalars& scalars) override;
  void on_end(TrainState& state, EndReason reason) override;

 private:
  void write(TrainState& state);
  void remove_old(std::int64_t step) const;

  RunDirectory run_;
  Cadence every_;
  Retention retention_;
  Save save_;
  double last_time_ = 0;
  std::int64_t written_step_ = -1;
  bool is_new_ = false;  // no checkpoint has been written yet
};

/// So many samples are made at a time, so that a large grid takes no more memory than a small one.
constexpr std::int64_t kSamplesAtOnce = 4;

/// With the averaged weights where the model keeps some: the picture of Model::sample as one grid: for each
/// image of the batch a row "real fake rec idt" of either direction. Single-channel images are shown grey,
/// other channel counts by their first three.
SampleGrid sample_grid(Model& model, const Batch& images, const ValueRange& range = {});

}  // namespace torsor
