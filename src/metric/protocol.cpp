#include "metric/protocol.h"

namespace torsor {

Rng metric_stream(const MetricOptions& options, const std::string& metric) {
  return Rng(derive_seed(static_cast<std::uint64_t>(options.metric_seed), "metric/" + metric));
}

std::int64_t jackknife_parts(const FeatureSets& sets) {
  return sets.real.size(0) + sets.fake.size(0) > 1024 ? 10 : 50;
}

Json set_protocol(const std::string& metric, const FeatureSets& sets, const MetricOptions& options) {
  return {{"metric", metric},
          {"real", sets.real.size(0)},
          {"fake", sets.fake.size(0)},
          {"features", sets.real.size(1)},
          {"groups", sets.groups.count},
          {"group_pattern", options.groups},
          {"seed", options.metric_seed},
          {"resamples", options.resamples}};
}

}  // namespace torsor
