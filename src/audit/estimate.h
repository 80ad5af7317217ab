// Means over images with intervals over their groups.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/rng.h"
#include "metric/metric_result.h"

namespace torsor {

/// A number with its 95 % interval, or without one and why.
struct Estimate {
  double value = 0;
  std::optional<Interval> interval;
  std::string no_interval;  // why there is none

  /// The interval's ends; without one an end that decides nothing (minus and plus infinity).
  double low() const;
  double high() const;
  /// "0.31 (0.28 to 0.35)", without an interval the value alone.
  std::string text() const;
  /// {"value", "interval": [low, high] or null, "no_interval" where it is null}.
  Json json() const;
  static Estimate from(const Json& json);
  static Estimate of(const MetricResult& result);
};

/// The mean of `values` [N] divided by `scale`, with the bootstrap over groups (metric/bootstrap.h).
Estimate mean_estimate(const at::Tensor& values, const std::vector<std::int64_t>& groups, double scale,
                       std::int64_t resamples, Rng& rng);

}  // namespace torsor
