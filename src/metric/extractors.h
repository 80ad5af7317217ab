// The extractors there are, one maker each; feature_extractor.cpp lists them by name.
#pragma once

#include <memory>
#include <string>

#include "io/archive.h"
#include "metric/feature_extractor.h"
#include "metric/feature_file.h"
#include "metric/weight_table.h"

namespace torsor {

inline constexpr const char* kOwnProtocol = "own";
inline constexpr const char* kPytorchFid = "pytorch-fid";
inline constexpr const char* kCleanFid = "clean-fid";
inline constexpr const char* kTorchFidelity = "torch-fidelity";

/// The image itself: 32x32 by clean-fid's bicubic, samples / 255, row by row of each channel: 3072 numbers.
std::shared_ptr<FeatureExtractor> make_pixel_extractor(const NetworkPlace& place);

/// A VGG-like network (pairs of 3x3 convolutions to 32, 64, 128 and 256 channels) whose weights are drawn
/// from a fixed seed: means over the positions behind each pair, 480 numbers. For images of 128x128, in
/// [-1,1].
std::shared_ptr<FeatureExtractor> make_random_vgg_extractor(const NetworkPlace& place);

/// EfficientNet-Lite0's pooled features, 1280 numbers. For 224x224 by clean-fid's bicubic, normalised as in
/// the package's documentation (ImageNet's mean and deviation). Throws Error naming the file and the key.
std::shared_ptr<FeatureExtractor> make_efficientnet_extractor(FeatureWeights weights,
                                                              const NetworkPlace& place);

/// FID's Inception at 299x299. `protocol`: kPytorchFid (two-tap bilinear, in [-1,1]; Seitzer's pytorch-fid),
/// kCleanFid (clean_bicubic, (sample - 128) / 128; Parmar et al. 2022) or kTorchFidelity (TensorFlow 1's
/// bilinear, (sample - 128) / 128); "auto" is the first. `width`: one of kInceptionWidths, 0 is 2048. Throws
/// UsageError for others, Error naming the file and the key.
std::shared_ptr<FeatureExtractor> make_inception_extractor(FeatureWeights weights,
                                                           const std::string& protocol, std::int64_t width,
                                                           const NetworkPlace& place);

/// What the last layer sees of a classifier that torsor trained (`torsor reproduce` leaves it as
/// OUT/runs/classifier.safetensors). Images are resized to its side by clean-fid's bicubic. Throws Error
/// naming the archive.
std::shared_ptr<FeatureExtractor> make_classifier_extractor(const Archive& archive,
                                                            const NetworkPlace& place);

}  // namespace torsor
