// Two evaluations against each other: whether they may be compared, and whether they differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "metric/statistics.h"

namespace torsor {

enum class Change { better, worse, within_interval, no_interval };

/// One metric in both evaluations.
struct MetricChange {
  std::string direction, metric;  // direction "" of two folders
  double before = 0, after = 0;
  /// 95 % interval of after - before, from the intervals of both (Zou and Donner 2008, "Construction of
  /// confidence limits about effect measures", equation 1); wide where both evaluations share images. Nothing
  /// where one has none.
  std::optional<Interval> difference;
  Change change = Change::no_interval;
};

struct Comparison {
  std::vector<MetricChange> changes;
  std::vector<std::string> notes;  // metrics in one alone, another version of torsor
};

/// Compares what evaluation.json holds. Throws Error naming the first three entries of the protocols that are
/// unlike and their number, Error naming the file for one that is no evaluation, and when no metric is in
/// both. Where the features' weights were found, and the version of torsor, need not be equal.
Comparison compare_evaluations(const Json& before, const std::string& before_name, const Json& after,
                               const std::string& after_name);

/// {"changes": [{"direction", "metric", "before", "after", "difference", "interval", "change"}], "notes"}.
Json comparison_json(const Comparison& comparison);

/// "a_to_b kid: 0.219 -> 0.197, difference -0.022 (-0.031 to -0.013): better, by more than the interval".
std::string change_text(const MetricChange& change);

}  // namespace torsor
