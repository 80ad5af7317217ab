// All metrics of images, by name: of two sets of images, and of pairs of images.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/registry.h"
#include "metric/groups.h"
#include "metric/image_pair.h"
#include "metric/metric_options.h"
#include "metric/metric_result.h"

namespace torsor {

/// The feature vectors of two sets of images. groups.real[i] is the group of row i of `real`, and so on.
struct FeatureSets {
  at::Tensor real, fake;  // [N,d], [M,d]
  SampleGroups groups;
};

enum class MetricKind { sets, pairs };
enum class Better { lower, higher };
/// What it is computed on: the pixels, the vectors that a feature extractor makes of each image, or whole
/// images by a network of its own (lpips.h), which then gives the values of the pairs.
enum class MetricInput { pixels, features, own_network };

/// Results by name: metrics that share their work, as precision and recall do, are computed together.
using MetricResults = std::map<std::string, MetricResult>;

struct Metric {
  MetricKind kind;
  MetricInput input;
  Better better;
  std::string help;  // one line
  /// Images that each set must have, or pairs that there must be.
  std::function<std::int64_t(const MetricOptions&)> least;
  /// kind sets: this metric, and what comes with it. Sets are as SetScorer checks them.
  std::function<MetricResults(const FeatureSets&, const MetricOptions&)> of_sets = nullptr;
  /// kind pairs, of pixels: the value of one pair.
  std::function<double(const ImagePair&)> of_pair = nullptr;
  /// kind pairs, of features: the values of all pairs, real [N,d] and fake [N,d] -> [N].
  std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> of_features = nullptr;
};

/// sets: fid, kid, precision, recall, density, coverage, c2st. pairs: psnr, ssim, ssim_gauss, msssim, mae,
/// rmse, lpips, feature_distance. docs/metrics.md has their formulas.
const Registry<Metric>& metrics();

/// Their names, in order.
std::vector<std::string> metric_names(MetricKind kind);

/// Scores two sets by any metrics of kind sets; what they share is computed once.
class SetScorer {
 public:
  /// Throws Error for features that are not [N,d] and [M,d] with a group for each row, and for those that are
  /// NaN or infinite.
  SetScorer(FeatureSets sets, const MetricOptions& options);

  /// Throws UsageError for an unknown metric or one of another kind, Error that states the numbers when the
  /// sets are too small for it. The protocol states counts, groups, seed and the metric's own options.
  const MetricResult& score(const std::string& metric);

 private:
  FeatureSets sets_;
  MetricOptions options_;
  MetricResults done_;
};

/// One pair by a metric of kind pairs and of pixels. Throws UsageError for another metric, Error naming the
/// pair where it cannot be computed (MS-SSIM of a side of 160 or less, a mask that leaves nothing).
double score_pair(const std::string& metric, const ImagePair& pair);

/// All pairs together: the mean of the values of one metric, as score_pair() or Metric::of_features() gave
/// them, with an interval over groups (groups.real has one for each value). PSNR: the mean of the finite
/// values, "infinite" says how many are not, "pooled" is from the mean squared error over all pairs; infinite
/// when all are. RMSE: "pooled" likewise. Throws Error for no values, or for NaN.
MetricResult summarize_pairs(const std::string& metric, const std::vector<double>& values,
                             const SampleGroups& groups, const MetricOptions& options);

}  // namespace torsor
