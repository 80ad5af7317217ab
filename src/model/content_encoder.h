// What translations must keep, by a classifier that was trained beforehand (S0-C11: what is left of the
// ambiguity are the automorphisms that it does not see, {phi : E phi = E}).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "model/classifier_file.h"
#include "model/placement.h"

namespace torsor {

/// A torsor classifier, frozen.
class ContentEncoder {
 public:
  /// Throws Error naming the file for what is none.
  explicit ContentEncoder(const std::filesystem::path& classifier);

  /// StoredClassifier::hash().
  std::string hash() const { return classifier_.hash(); }
  /// Throws UsageError where images of a domain cannot be shown to it.
  void require_channels(std::int64_t channels) const;
  void set_placement(const Placement& placement);

  /// What its last layer sees of images of either domain: [N,C,H,W], as classifier_input() has them, to
  /// [N,F]. In evaluation mode; with gradients for the images, none for its weights.
  at::Tensor operator()(const at::Tensor& images) const;

 private:
  StoredClassifier classifier_;
};

}  // namespace torsor
