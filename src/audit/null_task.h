// The null task: a run's own training, smaller, between two halves of the images of one domain. The right
// translation is to change nothing (S0-E1).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/group_cut.h"
#include "train/config.h"

namespace torsor {

/// The side of its images, in pixels. Unless it is asked for, 64 or the audited images' if they are smaller:
/// the next smaller side that all networks of the configuration take, or the smallest that they take. Throws
/// UsageError for one that they do not take, or that is larger than the audited images.
std::int64_t null_side(const TrainConfig& config, std::int64_t audited, std::int64_t asked);

/// Its length. Unless it is asked for, a quarter of the run's, 500 to 4000 steps, and not more than the
/// run's.
std::int64_t null_steps(std::int64_t of_run, std::int64_t asked);

/// What the settings of a null task depend on, besides the run's own.
struct NullRequest {
  std::string domain;                          // "a" or "b": both sides are images of it
  std::int64_t audited_side = 0;               // the shorter side of the audited images
  std::int64_t half_size = 0;                  // images of the larger half
  std::int64_t steps = 0, side = 0, seed = 0;  // asked for; 0 = chosen
  PlacementOptions placement;                  // its device and engine; the precision is the run's
  std::filesystem::path folder;                // of the halves and of the run
};

struct NullSettings {
  TrainConfig config;
  std::int64_t side = 0;             // of the networks' images
  std::int64_t stored_side = 0;      // of the image files
  std::vector<std::string> changes;  // what is not as in the run, a few words each
  bool asks_for_identity = false;    // whether the run's identity loss is on in it
};

/// The run's stored options with folder/half-1 as A and folder/half-2 as B, in folder/run: networks, losses,
/// optimiser, batch, augmentation and the shape of the schedule are the run's. Throws Error for a run without
/// stored options, UsageError as null_side() does.
NullSettings null_settings(const AuditedRun& run, const NullRequest& request);

/// Images resized as those of the null task are, in the range of the networks.
AuditImages null_images(const AuditImages& images, const ModelInfo& info, std::int64_t side);

/// Writes both halves below `folder`; does nothing where they are. Throws Error where the folder holds other
/// images.
void write_null_halves(const AuditImages& images, const GroupCut& halves, const ModelInfo& info,
                       std::int64_t side, const std::filesystem::path& folder);

/// Trains it, or goes on where it stopped; returns the trained run. Throws StoppedError, DivergedError, and
/// Error where the folder holds a run with other settings.
AuditedRun train_null_task(const NullSettings& settings, LogSink& log, const StopFlag& stop);

}  // namespace torsor
