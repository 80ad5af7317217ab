// What turns images into the vectors that FID, KID, precision and recall compare: extractors by name, each
// hashed, so that a number says whose features it is of.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "image/image.h"

namespace torsor {

/// What a user chooses of it.
struct FeatureOptions {
  std::string features = "auto";   // a name of extractor_names(), or a file
  std::string protocol = "auto";   // of protocol_names(): how images become the network's input
  std::int64_t feature_width = 0;  // which layer, by its width; 0: the extractor's own

  void describe(OptionSet& o);
};

/// Describes an extractor in a result: two numbers compare where these are equal.
struct ExtractorIdentity {
  std::string name;      // pixels, random-vgg, efficientnet-lite0, inception, classifier
  std::string hash;      // XXH3-128 of name, definition and weights, 32 hexadecimal digits
  std::string protocol;  // own, pytorch-fid, clean-fid, torch-fidelity
  std::string resizer;   // resizer_name()
  std::int64_t input_width = 0, input_height = 0;  // of what the network sees
  std::string layer;                               // what is taken of it
  std::int64_t width = 0;                          // numbers for an image
  std::string weights;                             // where they are from, "" for none; not compared

  /// {"name", "hash", "protocol", "resizer", "input_size": [width, height], "layer", "width", "weights"}.
  Json to_json() const;
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;

  const ExtractorIdentity& identity() const { return identity_; }
  const std::string& name() const { return identity_.name; }
  const std::string& hash() const { return identity_.hash; }
  std::int64_t width() const { return identity_.width; }
  Json protocol() const { return identity_.to_json(); }
  /// What the user should be told once: which extractor stands in for one that is not there.
  const std::vector<std::string>& notes() const { return notes_; }
  void add_note(std::string note) { notes_.push_back(std::move(note)); }

  /// [N,width] float64 on the CPU, row n of image n. Images: 1 to 4 channels (grey is repeated, alpha
  /// dropped), samples 0 to 255 as u8 or f32, of any sizes (see to_preview for others); batches are made
  /// inside, and N may be 0. One image gives the same numbers, but for rounding, whatever is beside it.
  /// Throws Error for other types and channels. Safe to call from one thread at a time.
  at::Tensor features(std::span<const Image> images) const;

 protected:
  explicit FeatureExtractor(ExtractorIdentity identity) : identity_(std::move(identity)) {}

 private:
  /// A batch of at most kExtractorBatch RGB images in f32, samples 0 to 255 -> [N,width].
  virtual at::Tensor features_of_batch(std::span<const Image> rgb) const = 0;

  ExtractorIdentity identity_;
  std::vector<std::string> notes_;
};

inline constexpr std::size_t kExtractorBatch = 16;

/// By its name or from a file. "auto" is efficientnet-lite0 where its file is found, else random-vgg, which
/// notes() says. Throws UsageError for an unknown name (the nearest is named), a protocol or a width that the
/// extractor lacks; Error naming the file, and the key in it, for one that cannot be used.
std::shared_ptr<FeatureExtractor> make_extractor(const FeatureOptions& options, c10::Device device);

/// For help and messages, "auto" aside.
std::vector<std::string> extractor_names();
/// own, pytorch-fid, clean-fid, torch-fidelity.
std::vector<std::string> protocol_names();

}  // namespace torsor
