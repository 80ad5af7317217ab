// A small convolutional classifier (S0-E1c; its layout is open in the paper).
#pragma once

#include <memory>

#include "nn/network.h"

namespace torsor {

struct ClassifierOptions {
  std::int64_t in_channels = 1;
  std::int64_t side = 32;  // of the images: a multiple of 4, at least 8
  std::int64_t classes = 10;
  std::int64_t width = 32;  // filters of the first layers
  std::string norm = "batch";

  void describe(OptionSet& o);
  /// Throws UsageError for a side that it cannot take.
  void validate() const;
};

/// [N,C,side,side] in [-1,1] -> scores before the softmax [N,classes,1,1]. Parameters are zeros until
/// init_weights.
std::shared_ptr<Network> make_classifier(const ClassifierOptions& options);

/// What the last layer of such a network sees of images: [N,C,side,side] -> [N,4*width]. Throws
/// std::logic_error for another network.
at::Tensor classifier_features(Network& classifier, const at::Tensor& images);

}  // namespace torsor
