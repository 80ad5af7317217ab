// The folder of one run, laid out so that it explains itself.
#pragma once

#include <filesystem>
#include <vector>

#include "core/json.h"

namespace torsor {

/// A checkpoint or a sample grid, and the step that its name says.
struct StepFile {
  std::filesystem::path path;
  std::int64_t step = 0;
};

/// What a new run does where one is already.
enum class Occupied {
  refuse,
  restart  // begins again where the earlier one left neither a checkpoint nor a model
};

/// config.json (resolved options), sessions.jsonl (a line each time training starts or is resumed),
/// log.jsonl, budget.jsonl (how a time budget changed the schedule), TensorBoard's event files, notices.jsonl
/// (what the program said), samples/, checkpoints/, best.safetensors (the model that a metric found best,
/// with
/// --keep-best), model.safetensors and report.html (at the end).
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root) : root_(std::move(root)) {}

  /// Throws Error when a run is there already: nothing is ever overwritten, but with `restart` one that has
  /// come to nothing.
  void require_free(Occupied occupied = Occupied::refuse) const;

  /// Removes the files of a run that has come to nothing; others stay. Throws Error when there is more. Only
  /// while the run is locked.
  void clear() const;

  /// Throws Error unless a run is there.
  void require() const;

  /// Makes the folders. Throws Error.
  void make() const;

  /// Replaces config.json. Throws Error.
  void write_config(const Json& config) const;

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config() const { return root_ / "config.json"; }
  std::filesystem::path log() const { return root_ / "log.jsonl"; }
  std::filesystem::path discarded_log() const { return root_ / "log.discarded.jsonl"; }
  std::filesystem::path sessions() const { return root_ / "sessions.jsonl"; }
  std::filesystem::path budget() const { return root_ / "budget.jsonl"; }
  /// TensorBoard takes every file with "tfevents" in its name for one of the run.
  std::filesystem::path discarded_events() const { return root_ / "events.discarded.tfrecord"; }
  std::filesystem::path notices() const { return root_ / "notices.jsonl"; }
  std::filesystem::path report() const { return root_ / "report.html"; }
  std::filesystem::path samples() const { return root_ / "samples"; }
  std::filesystem::path checkpoints() const { return root_ / "checkpoints"; }
  std::filesystem::path checkpoint(std::int64_t step) const;
  std::filesystem::path best() const { return root_ / "best.safetensors"; }
  std::filesystem::path model() const { return root_ / "model.safetensors"; }
  std::filesystem::path lock() const { return root_ / ".lock"; }

  std::filesystem::path sample(std::int64_t step) const;
  /// What the cells of the sample grids are: see GridLayout.
  std::filesystem::path sample_layout() const { return root_ / "samples.json"; }
  std::filesystem::path held_out_samples() const { return root_ / "held_out.png"; }

  /// Checkpoints there are, oldest first.
  std::vector<StepFile> list_checkpoints() const;
  /// Sample grids there are, oldest first.
  std::vector<StepFile> list_samples() const;

  /// "events.out.tfevents.<seconds since 1970>.torsor", oldest first. TensorBoard reads them in the order of
  /// their names.
  std::vector<std::filesystem::path> list_event_files() const;
  /// One whose name sorts behind them all, also when the clock was set back.
  std::filesystem::path new_event_file() const;

  /// Removes the half-written files that a killed process left. Only while the run is locked.
  void remove_leftovers() const;

 private:
  bool is_occupied() const;
  bool has_result() const;

  std::filesystem::path root_;
};

/// The right to train in a run directory. The system takes it back when the process ends, however it ends.
class RunLock {
 public:
  /// Throws Error when another process holds it. A file system that has no locks gives none: `warning` then
  /// receives a line.
  RunLock(const RunDirectory& directory, std::string& warning);
  ~RunLock();
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace torsor
