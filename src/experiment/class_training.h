// Trainings of the small classifiers that experiments label images with.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/image_source.h"
#include "experiment/reproduction.h"
#include "model/classifier.h"

namespace torsor {

struct ClassTraining {
  std::string data;  // what the images are; kept in the file
  std::shared_ptr<const LabelledSource> images;
  ClassifierOptions options;
  std::int64_t steps = 0;
};

/// The classifier in `file`, trained and written where it is not there. Throws Error for a file of another
/// training, StoppedError.
std::shared_ptr<Classifier> trained_classifier(const ClassTraining& training,
                                               const std::filesystem::path& file, const Request& request);

}  // namespace torsor
