// What the images of a domain are like, kept with a model so that it can say when an input is of another
// kind.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/tensor_image.h"
#include "image/image.h"

namespace torsor {

/// Collects one domain's images, from any threads and in any order; the result does not depend on either.
class FingerprintBuilder {
 public:
  /// `images`: how many there are. At most 500 of them, evenly spaced, have their features taken;
  /// none of images that are neither grey nor RGB.
  FingerprintBuilder(std::int64_t images, std::int64_t channels);

  /// Image `index` in 0..images-1: u8 in the domain's channels, see to_preview(), with the range that it
  /// enters the network with. Throws Error for another.
  void add(std::int64_t index, const Image& image, const ValueRange& range = {});

  std::int64_t count() const { return count_; }
  /// Of images with a white of their own (percentile_95): the mean white of those with the most depth; 0 when
  /// there are none.
  ValueRange mean_range() const;
  /// {"images", "channels": [{"mean", "std", "histogram"}]}: samples 0 to 255 as the network gets them before
  /// resizing; the histogram counts them in 32 bins of 8 values.
  Json summary() const;
  /// [n, features] in float64, in the order of the images.
  at::Tensor features() const;

 private:
  const std::int64_t images_, channels_;
  std::mutex mutex_;
  std::int64_t count_ = 0;
  std::vector<std::array<std::int64_t, 256>> values_;  // by channel
  std::map<std::int64_t, std::vector<double>> features_;
  std::map<std::int64_t, ValueRange> ranges_;  // summed in the order of the images: the same bits each time
};

/// The fingerprints of both domains: their summaries, and under "recognition" what Recogniser needs, when
/// each has at least 16 images: {"features", "mean", "sd", "correlation" (below the diagonal, row by row),
/// "limit", "other_limit", "other_power"}. All numbers are rounded to six decimals.
///
/// A domain's features are modelled as a Gaussian: their mean, their deviations (with each feature's floor
/// added in quadrature) and correlations shrunk by n / (n + features). d(x) is the Mahalanobis distance.
/// "limit" bounds log d of images of the domain itself, "other_limit" the difference d - d', where d' is the
/// distance from the other domain. Both are estimated on held-out images, by cross-validation over quarters
/// of the images in the order of the files, since neighbours are often alike: each quarter under the Gaussian
/// of the other three. The estimate is median + (2.33 + 4.9 / sqrt(n)) * 1.4826 * median deviation, the 99 %
/// point of a normal distribution with 95 % confidence; at least the 98 % quantile; and, of 100 images or
/// more, at most the largest. "other_power" is the part of the other domain's held-out images that would be
/// told from this domain's.
struct Fingerprints {
  Json a, b;
};
Fingerprints make_fingerprints(const FingerprintBuilder& a, const FingerprintBuilder& b);

/// The features of a domain's images as a normal distribution, all in float64.
struct FeatureGaussian {
  /// Mahalanobis distances: [n,p] -> [n].
  at::Tensor distances(const at::Tensor& features) const;

  at::Tensor mean, deviation;  // [p]
  at::Tensor factor;           // [p,p], lower: the Cholesky factor of the correlations
};

enum class Likeness { own, other, neither };

/// "own", "other", "neither".
std::string likeness_name(Likeness likeness);

/// What a Recogniser finds of one image.
struct Recognition {
  Likeness likeness = Likeness::own;
  double distance = 0;  // Mahalanobis, from the images of the own domain
  double limit = 0;     // that about 99 % of the own domain's images keep
};

/// Tells whether an image is like the domain that a generator was trained to translate. About 2 % of the
/// domain's own images are misclassified, whatever the domain; docs/recognition.md documents what is detected
/// and what is missed.
class Recogniser {
 public:
  /// From two fingerprints. Throws Error naming `source` when they are damaged.
  Recogniser(const Json& own, const Json& other, const std::string& source);

  /// A fingerprint without "recognition" (few images, older files, imported weights) classifies nothing.
  static bool possible(const Json& own, const Json& other);

  /// `image`: u8 with 1 or 3 channels, before any resizing.
  Likeness judge(const Image& image) const { return recognise(image).likeness; }
  Recognition recognise(const Image& image) const;

 private:
  FeatureGaussian own_, other_;
  double limit_ = 0, other_limit_ = 0, other_power_ = 0, limit_of_other_ = 0;
};

/// The least number of alarms among n images that is not chance: were each image of the right domain to alarm
/// with probability 5 %, so many would have probability 5 % or less.
std::int64_t alarms_beyond_chance(std::int64_t n);

}  // namespace torsor
