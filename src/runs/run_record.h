// What a training left in its run directory, read back: finished, stopped, in progress, or of an older
// torsor.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "io/run_directory.h"
#include "runs/series.h"
#include "train/observers.h"

namespace torsor {

inline constexpr const char* kLearningRate = "lr";  // its name in the log

/// log.jsonl.
struct RunLog {
  std::vector<ScalarSeries> scalars;  // by their first appearance: losses, metrics, then "lr"
  std::int64_t last_step = 0, last_epoch = 0;
  double seconds = 0;           // of training, over all sessions
  double data_wait = 0;         // share of them spent waiting for images, in the last session
  std::int64_t torn_lines = 0;  // lines that could not be read

  /// Null when there is none of this name.
  const ScalarSeries* find(const std::string& name) const;
};

/// A line of notices.jsonl.
struct Notice {
  std::int64_t step = 0;
  bool is_warning = false;  // or what ended the run
  std::string text;
};

struct RunRecord {
  RunDirectory directory;
  std::string name;  // the folder's own
  Json config;       // an object
  RunLog log;
  std::vector<Json> sessions;   // of sessions.jsonl
  std::vector<Notice> notices;  // those that say the same, once, with its first step
  std::vector<StepFile> samples;
  std::optional<GridLayout> sample_layout;  // older runs have none
  std::vector<Json> corrections = {};       // of budget.jsonl: where a time budget changed the length

  /// The value that the newest session tells under this key; null where none does.
  Json last_told(const std::string& key) const;
  /// Steps that the run is to have; 0 where that is not known.
  std::int64_t planned_steps() const;
  bool is_loss(const std::string& scalar) const;  // all are, where the run does not say
  /// The name of domain "a" or "b"; where the run does not say, "A" or "B".
  std::string domain(const std::string& key) const;
};

/// Reads a run directory; nothing in it is changed. Throws Error when it is none, or a file in it that must
/// be there is no such file.
RunRecord read_run(const std::filesystem::path& path);

/// The runs, each once, with names that tell them apart. Throws Error, also for a folder named twice.
std::vector<RunRecord> read_runs(const std::vector<std::string>& paths);

}  // namespace torsor
