// The images of a training run.
#pragma once

#include <memory>

#include "core/log.h"
#include "data/dataset.h"
#include "model/model_file.h"
#include "train/config.h"

namespace torsor {

/// The images of both domains, opened and checked.
struct TrainData {
  std::shared_ptr<const Dataset> train;
  Batch fixed;  // sample_count test images (else the first training ones), for sample grids
  std::int64_t count_a = 0, count_b = 0;
  DomainInfo a, b;
  Size largest;  // that training images have after resizing, where that varies
  Json files;    // {"a": {"count", "digest"}, "b": ...}: tells whether these are the same ones
};

/// Opens folders or generated domains; pairs as open_aligned() says. Every file is read once: a bad one is
/// refused with its name, or skipped with a warning when skip_bad is set. Throws Error for missing or empty
/// folders and images too small for the crop.
TrainData open_data(const TrainConfig& config, std::shared_ptr<LogSink> log);

}  // namespace torsor
