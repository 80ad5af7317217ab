// What the results of all metrics state alike.
#pragma once

#include <string>

#include "core/rng.h"
#include "metric/metrics.h"

namespace torsor {

/// The random stream of one metric, from the options' seed.
Rng metric_stream(const MetricOptions& options, const std::string& metric);

/// Parts that a jackknife leaves out one by one, in each stratum: 50; of more than 1024 images 10, since each
/// part costs as much as the metric itself.
std::int64_t jackknife_parts(const FeatureSets& sets);

/// {"metric", "real", "fake" (images), "features", "groups", "seed", "resamples"}.
Json set_protocol(const std::string& metric, const FeatureSets& sets, const MetricOptions& options);

}  // namespace torsor
