// The images of a training run.
#pragma once

#include "core/log.h"
#include "train/config.h"
#include "train/opened_images.h"

namespace torsor {

/// Opens what --data names, by the registry of data sources; pairs as open_aligned() says; and what the model
/// wants beside them (add_side_data(); after TrainConfig::read_files()). Every file is read
/// once: a bad one is refused with its name, or skipped with a warning when skip_bad is set. Throws Error for
/// missing or empty folders and images too small for the crop.
TrainData open_data(const TrainConfig& config, std::shared_ptr<LogSink> log);

}  // namespace torsor
