// A classifier that torsor trained, out of its file.
#pragma once

#include <memory>

#include "io/archive.h"
#include "nn/classifier.h"

namespace torsor {

struct ClassifierFile {
  ClassifierOptions options;
  std::shared_ptr<Network> network;  // on the CPU, float32, evaluation mode
  TensorMap weights;                 // by state-dict key
};

/// Throws Error naming the archive when its description or its weights are no classifier's of grey or RGB
/// images. describes_classifier() (extractors.h) tells beforehand whether it is one at all.
ClassifierFile read_classifier(const Archive& archive);

}  // namespace torsor
