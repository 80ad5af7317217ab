// What the results of all metrics state alike.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "metric/bootstrap.h"
#include "metric/metrics.h"

namespace torsor {

/// The random stream of one metric, from the options' seed.
Rng metric_stream(const MetricOptions& options, const std::string& metric);

/// The intervals of jackknife_intervals() with 50 parts in each stratum; of more than 1024 images with 10,
/// since each part costs as much as the metric itself. None where no_jackknife() says so.
std::vector<MetricInterval> set_jackknife(
    const std::string& stream, const FeatureSets& sets, const MetricOptions& options,
    const std::vector<double>& values, std::int64_t least,
    const std::function<std::vector<double>(const at::Tensor& real, const at::Tensor& fake)>& statistics);

/// Why there will be none: not asked for, or more than 8000 images, which would take hours or all memory.
std::optional<MetricInterval> no_jackknife(const FeatureSets& sets, const MetricOptions& options);

/// {"metric", "real", "fake" (images), "features", "groups", "seed", "resamples"}.
Json set_protocol(const std::string& metric, const FeatureSets& sets, const MetricOptions& options);

}  // namespace torsor
