// Two sets of images, or pairs of images, scored by any metrics.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "evaluate/evaluate_options.h"
#include "evaluate/scored_set.h"
#include "metric/feature_cache.h"
#include "metric/lpips.h"
#include "metric/metrics.h"

namespace torsor {

/// What is compared. Of pairs image i of `real`, `fake` and `mask` belong together.
struct ComparedSets {
  const ScoredSet& real;
  const ScoredSet& fake;
  const ScoredSet* inputs = nullptr;  // of which `fake` are translations: for the baseline of copying
  const ScoredSet* masks = nullptr;   // restrict the metrics of pairs on pixels
};

/// One image of `fake`.
struct ScoredImage {
  std::int64_t fake = 0;       // its place in the set
  std::int64_t real = 0;       // of pairs its partner, else the real image with the nearest features
  std::vector<double> values;  // of SetScores::columns
};

/// By which column the images are ranked, and in words.
struct Ranking {
  std::size_t column = 0;
  Better better = Better::lower;
  std::string rule;
};

struct SetScores {
  std::vector<std::string> order;  // of the metrics
  MetricResults metrics;
  MetricResults copying;             // metrics of sets of the untranslated inputs against `real`
  std::vector<std::string> columns;  // metrics of pairs, then "nearest" where there are features
  std::vector<ScoredImage> images;
  std::optional<Ranking> ranking;  // none without columns
  Json protocol = Json::object();  // of these sets: what has to be equal for numbers to be comparable
  std::vector<std::string> warnings;

  /// {name: {"value", "interval", ..., "copying": {"value", "interval", ...}}}, see MetricResult::json().
  Json metrics_json() const;
};

/// What computes scores: metrics, extractor and cache for all sets of one evaluation.
class SetScoring {
 public:
  /// Opens the extractor where the plan needs one; `cache_folder` "" keeps no features. Throws as
  /// plan_metrics() and make_extractor() do.
  SetScoring(EvaluateOptions options, c10::Device device, const std::filesystem::path& cache_folder,
             std::shared_ptr<LogSink> log, const StopFlag& stop);

  /// {"torsor", "pairing", "channels", "data_range", "groups", "seed", "extractor", "lpips"}: what all sets
  /// share.
  Json protocol() const;

  /// Throws Error for sets that a chosen metric cannot compare: too few images, sizes that differ, samples
  /// that are not numbers; UsageError where --data-range is missing. A metric that was not chosen is left out
  /// with a warning where there are too few images. Throws StoppedError.
  SetScores score(const ComparedSets& sets);

  const EvaluateOptions& options() const { return options_; }

 private:
  at::Tensor features_of(const ScoredSet& set, const std::string& what);
  void score_pixels(const ComparedSets& sets, SetScores& out);
  void score_lpips(const ComparedSets& sets, SetScores& out);
  void score_features(const ComparedSets& sets, SetScores& out);
  MetricResults score_sets(const at::Tensor& real, const at::Tensor& fake, const SampleGroups& groups,
                           SetScores& out) const;
  void add_values(const std::string& metric, const std::vector<double>& values, const ScoredSet& real,
                  SetScores& out) const;
  bool is_possible(const std::string& metric, std::int64_t images, SetScores& out) const;

  EvaluateOptions options_;
  MetricPlan plan_;
  std::shared_ptr<FeatureExtractor> extractor_;
  std::optional<FeatureCache> cache_;
  std::shared_ptr<const Lpips> lpips_;
  std::shared_ptr<LogSink> log_;
  const StopFlag& stop_;
};

}  // namespace torsor
