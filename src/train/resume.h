// Resuming a run that was stopped, killed or finished.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/log.h"
#include "io/archive.h"
#include "io/run_directory.h"
#include "model/model_file.h"
#include "train/config.h"

namespace torsor {

/// A run directory locked by this process, and the newest intact checkpoint in it.
struct ResumePoint {
  RunDirectory directory;
  RunLock lock;
  std::filesystem::path checkpoint;
  Archive archive;
  ModelInfo info;                     // the checkpoint's description of its model
  std::vector<std::string> warnings;  // skipped checkpoints and why
};

/// Locks the run and removes what a killed process left half-written. Damaged checkpoints are skipped with a
/// warning each. Throws Error when the run is not there, another process trains in it, or no checkpoint of it
/// can be used.
ResumePoint open_resume_point(const std::filesystem::path& run, LogSink& log);

struct OptionChange {
  std::string name;
  Json then, now;
};

/// The paths of the images of --data, --a, --b, --val-a and --val-b, and of what the model wants beside them,
/// by the options' names, where they differ from the option's value: a run can be resumed from any working
/// directory.
using ImagePaths = std::map<std::string, std::string>;

/// The configuration of a resumed run.
struct ResumedConfig {
  TrainConfig config;
  std::vector<OptionChange> changes;  // against the checkpoint
  ImagePaths image_paths = {};
};

/// The configuration with its images at those paths.
TrainConfig with_images_at(TrainConfig config, const ImagePaths& paths);

/// What sessions.jsonl keeps of the images: {option: {"given": as in the configuration, "at": absolute}}.
Json images_as_stored(const TrainConfig& found, const TrainConfig& given);

/// The run's config.json with `flags` (names to values) over it; where both are silent, what the checkpoint
/// was trained with. Throws UsageError for a change of an option that a resumed run has to keep, with the
/// reason, and for images that are neither where the configuration says nor where they were when the run last
/// trained.
ResumedConfig resumed_config(const ResumePoint& point, const Json& flags);

}  // namespace torsor
