// The values of many pairs as one result.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/metrics.h"
#include "metric/protocol.h"

namespace torsor {

namespace {

struct Finite {
  std::vector<double> values;
  SampleGroups groups;  // of these values
};

Finite finite_ones(const std::string& metric, const std::vector<double>& values, const SampleGroups& groups) {
  if (std::ssize(values) != std::ssize(groups.real))
    fail("{}: {} values and {} groups", metric, values.size(), groups.real.size());
  Finite out;
  out.groups.count = groups.count;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) fail("{}: the value of pair {} is NaN", metric, i);
    if (std::isinf(values[i])) continue;
    out.values.push_back(values[i]);
    out.groups.real.push_back(groups.real[i]);
  }
  return out;
}

template <class F>
double mean_value(const std::vector<double>& values, F f) {
  double sum = 0;
  for (const double v : values) sum += f(v);
  return sum / static_cast<double>(values.size());
}

MetricInterval interval_of_mean(const Finite& finite, const MetricOptions& options, Rng& rng) {
  const ResamplingUnits units =
      resampling_units(finite.groups, std::numeric_limits<std::int64_t>::max(), rng);
  const at::Tensor values = at::tensor(finite.values, at::kDouble);
  const at::Tensor sums = at::bincount(units.real, values, units.count),
                   counts = at::bincount(units.real, {}, units.count).to(at::kDouble);
  return bootstrap_interval(units, options.resamples, rng, [&](const at::Tensor& weights) {
    return at::mv(weights, sums) / at::mv(weights, counts);
  });
}

// From the mean squared errors, which the single values are made of.
Json pooled(const std::string& metric, const std::vector<double>& values) {
  if (metric == "rmse") return std::sqrt(mean_value(values, [](double v) { return v * v; }));
  return json_number(-10 * std::log10(mean_value(values, [](double v) { return std::pow(10, -v / 10); })));
}

}  // namespace

MetricResult summarize_pairs(const std::string& metric, const std::vector<double>& values,
                             const SampleGroups& groups, const MetricOptions& options) {
  if (metrics().at(metric).kind != MetricKind::pairs) fail_usage("{} is not a metric of pairs", metric);
  if (values.empty()) fail("{} of no pairs", metric);
  const Finite finite = finite_ones(metric, values, groups);
  MetricResult out;
  if (finite.values.empty()) {
    out.value = std::numeric_limits<double>::infinity();
    out.uncertainty.none = "the images of each pair are equal";
  } else {
    Rng rng = metric_stream(options, metric);
    out.value = mean_value(finite.values, [](double v) { return v; });
    out.uncertainty = interval_of_mean(finite, options, rng);
  }
  if (metric == "psnr") out.details["infinite"] = std::ssize(values) - std::ssize(finite.values);
  if (metric == "psnr" || metric == "rmse") out.details["pooled"] = pooled(metric, values);
  out.protocol = {{"metric", metric},
                  {"pairs", values.size()},
                  {"groups", groups.count},
                  {"group_pattern", options.groups},
                  {"seed", options.metric_seed},
                  {"resamples", options.resamples}};
  return out;
}

}  // namespace torsor
