// The calibration of a model: its translations of held-out images, measured as those of a user will be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/log.h"
#include "core/stop.h"
#include "infer/calibration.h"
#include "infer/generator_runner.h"
#include "infer/treatment.h"

namespace torsor {

/// Where the images of a calibration come from, and how they are translated.
struct CalibrationRequest {
  std::filesystem::path folder;  // images of the domain that the direction translates from
  std::int64_t max_images = 0;   // the first that many; 0 = all
  std::string format;            // of the outputs, "" = their inputs'
  Treatment treatment;
  RunnerOptions runner;  // its direction is the one that is calibrated
};

/// Translates the images as `torsor translate` does, delivers each in memory, and measures it. Reports
/// progress as "calibration images of a_to_b". Throws Error naming the folder when it holds fewer than
/// kLeastCalibration images, the file of one that cannot be translated (with skip it is left out, with a
/// warning), or the model when nothing can be measured of it; StoppedError.
Calibration calibrate(const WeightSet& set, const CalibrationRequest& request, LogSink& log,
                      const StopFlag& stop);

}  // namespace torsor
