// What translations must keep, by a classifier that was trained beforehand (S0-C11: what is left of the
// ambiguity are the automorphisms that it does not see, {phi : E phi = E}).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

#include "model/classifier_file.h"
#include "model/placement.h"

namespace torsor {

/// A torsor classifier, frozen.
class ContentEncoder {
 public:
  /// `flag` is the option that names the file. Throws Error naming the file for what is none.
  explicit ContentEncoder(const std::filesystem::path& classifier, std::string flag = "--content-encoder");

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
  std::string flag_;
};

/// The file that an option names, and the hash of the weights that the run began with.
struct EncoderFile {
  std::string flag, path, hash;
};

/// The encoder for images of so many channels of A and of B. Throws UsageError where it holds other weights
/// or does not take such images.
std::shared_ptr<ContentEncoder> open_encoder(const EncoderFile& file, std::int64_t channels_a,
                                             std::int64_t channels_b);

}  // namespace torsor
