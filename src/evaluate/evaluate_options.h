// How sets of images are compared, in one place; the result states it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/pairing.h"
#include "evaluate/scored_set.h"
#include "metric/feature_extractor.h"
#include "metric/image_pair.h"
#include "metric/lpips.h"
#include "metric/metric_options.h"

namespace torsor {

struct EvaluateOptions {
  std::string metrics;  // names with commas between; "" = those that planned() chooses
  std::string pairing = "unpaired";
  std::int64_t max_images = 0;
  std::optional<double> data_range;
  std::string channels = "as_stored";
  bool skip_bad = false;
  MetricOptions metric;
  FeatureOptions features;
  LpipsOptions lpips;

  void describe(OptionSet& o);

  Pairing images_are() const { return pairing == "aligned" ? Pairing::aligned : Pairing::unpaired; }
  SetChoice choice() const { return {max_images, skip_bad ? BadFiles::skip : BadFiles::refuse}; }
  PairChannels pair_channels() const {
    return channels == "grey" ? PairChannels::grey : PairChannels::as_stored;
  }
};

/// The metrics to compute, in order.
struct MetricPlan {
  std::vector<std::string> sets;         // of two sets
  std::vector<std::string> pixel_pairs;  // of pairs, on their pixels
  std::vector<std::string> feature_pairs;
  bool lpips = false;
  bool chosen = false;  // by the user: what cannot be computed is then refused instead of left out

  bool needs_features() const { return !sets.empty() || !feature_pairs.empty(); }
};

/// `list` as EvaluateOptions::metrics. Where it is empty: kid, precision, recall, density and coverage, and
/// of pairs psnr, ssim, ssim_gauss, mae, rmse and kid. Throws UsageError naming `option` for an unknown
/// metric, and for one of pairs where the images are none.
MetricPlan plan_metrics(const std::string& list, Pairing pairing, const std::string& option);

}  // namespace torsor
