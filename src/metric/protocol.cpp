#include "metric/protocol.h"

#include <fmt/format.h>

namespace torsor {

namespace {

std::int64_t images_of(const FeatureSets& sets) { return sets.real.size(0) + sets.fake.size(0); }

}  // namespace

Rng metric_stream(const MetricOptions& options, const std::string& metric) {
  return Rng(derive_seed(static_cast<std::uint64_t>(options.metric_seed), "metric/" + metric));
}

std::optional<MetricInterval> no_jackknife(const FeatureSets& sets, const MetricOptions& options) {
  constexpr std::int64_t kMostImages = 8000;  // their distances are 0.5 GB
  if (options.resamples == 0) return no_interval_asked();
  if (images_of(sets) <= kMostImages) return std::nullopt;
  MetricInterval none;
  none.none = fmt::format("more than {} images: leaving out parts of them would take too long", kMostImages);
  return none;
}

std::vector<MetricInterval> set_jackknife(
    const std::string& stream, const FeatureSets& sets, const MetricOptions& options,
    const std::vector<double>& values, std::int64_t least,
    const std::function<std::vector<double>(const at::Tensor& real, const at::Tensor& fake)>& statistics) {
  if (const auto none = no_jackknife(sets, options)) return std::vector<MetricInterval>(values.size(), *none);
  Rng rng = metric_stream(options, stream);
  const ResamplingUnits units = resampling_units(sets.groups, images_of(sets) > 1024 ? 10 : 50, rng);
  return jackknife_intervals(units, values, least, statistics);
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
