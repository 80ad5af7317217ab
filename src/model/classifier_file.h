// A classifier that torsor trained, in its file (`torsor reproduce` leaves it as
// OUT/runs/classifier.safetensors).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "io/archive.h"
#include "nn/classifier.h"

namespace torsor {

/// Whether the metadata of an archive are a classifier's.
bool describes_classifier(const std::map<std::string, std::string>& metadata);

struct StoredClassifier {
  ClassifierOptions options;
  std::shared_ptr<Network> network;  // on the CPU, float32, evaluation mode
  TensorMap weights;                 // as they are stored
  std::string source;                // path, for messages

  /// XXH3-128 of the names, shapes and values of its weights, 32 hexadecimal digits.
  std::string hash() const;
};

/// What it says of its network, the weights unseen. Throws Error naming the archive for what is no
/// classifier.
ClassifierOptions classifier_options(const Archive& archive);

/// Throws Error naming the archive for what is no classifier, or weights of another one.
StoredClassifier load_classifier(const Archive& archive);
StoredClassifier load_classifier(const std::filesystem::path& path);

/// Images [N,C,H,W] as such a network takes them: [N,in_channels,side,side]. Grey becomes RGB by repetition,
/// RGB grey by Rec. 601 (as PIL's "L"); other sides are resized bilinearly, with antialiasing where they
/// shrink. With gradients. Throws Error for channels that cannot be converted.
at::Tensor classifier_input(const at::Tensor& images, const ClassifierOptions& options);

/// Whether classifier_input() takes images of so many channels.
bool takes_channels(const ClassifierOptions& options, std::int64_t channels);

}  // namespace torsor
