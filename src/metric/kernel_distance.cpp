#include "metric/kernel_distance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/shuffle.h"
#include "metric/bootstrap.h"
#include "metric/protocol.h"
#include "metric/unit_pairs.h"

namespace torsor {

namespace {

at::Tensor kernel(const at::Tensor& x, const at::Tensor& y) {
  return at::matmul(x, y.t()).div_(static_cast<double>(x.size(1))).add_(1).pow_(3);
}

struct Sample {
  at::Tensor rows;   // [N,d] float64
  at::Tensor units;  // [N]
};

enum class Pairs { all, distinct };  // distinct: of a sample with itself, without i = j

// The pairs (x_i, y_j) by units.
UnitPairs pairs_between(const Sample& x, const Sample& y, std::int64_t units, Pairs pairs) {
  UnitPairs out;
  out.sums = unit_sums(x.units, y.units, units, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor block = kernel(x.rows.narrow(0, begin, count), y.rows);
    if (pairs == Pairs::distinct) block.diagonal(begin).zero_();
    return block;
  });
  const at::Tensor nx = at::bincount(x.units, {}, units).to(at::kDouble),
                   ny = at::bincount(y.units, {}, units).to(at::kDouble);
  out.counts = at::outer(nx, ny);
  if (pairs == Pairs::distinct) out.counts.diagonal().sub_(nx);
  return out;
}

// Everything that KID with any weights needs.
struct Parts {
  UnitPairs xx, yy, xy;
  at::Tensor distance(const at::Tensor& weights) const {
    return weighted_mean(xx, weights) + weighted_mean(yy, weights) - 2 * weighted_mean(xy, weights);
  }
};

Parts parts_of(const Sample& x, const Sample& y, std::int64_t units) {
  return {pairs_between(x, x, units, Pairs::distinct), pairs_between(y, y, units, Pairs::distinct),
          pairs_between(x, y, units, Pairs::all)};
}

// `size` of 0..n-1.
at::Tensor drawn(std::int64_t n, std::int64_t size, Rng& rng) {
  return at::tensor(draw_places(n, size, rng), at::kLong);
}

Json subsets_json(const FeatureSets& sets, const MetricOptions& options) {
  if (options.kid_subset_size > std::min(sets.real.size(0), sets.fake.size(0)))
    fail_usage("--kid-subset-size {}: the sets have {} and {} images", options.kid_subset_size,
               sets.real.size(0), sets.fake.size(0));
  Rng rng = metric_stream(options, "kid/subsets");
  const SubsetDistances d =
      subset_distances(sets.real, sets.fake, options.kid_subsets, options.kid_subset_size, rng);
  return {{"number", options.kid_subsets},
          {"size", options.kid_subset_size},
          {"mean", d.mean},
          {"std_sample", d.deviation},
          {"std_population", d.spread_of_subsets}};
}

}  // namespace

double kernel_distance(const at::Tensor& x, const at::Tensor& y) {
  if (x.dim() != 2 || y.dim() != 2 || x.size(1) != y.size(1) || std::min(x.size(0), y.size(0)) < 2)
    fail("KID needs two sets of features [N,d] and [M,d] of two rows or more");
  const auto one_unit = [](const at::Tensor& rows) {
    return Sample{rows.to(at::kDouble), at::zeros({rows.size(0)}, at::kLong)};
  };
  return parts_of(one_unit(x), one_unit(y), 1).distance(at::ones({1, 1}, at::kDouble)).item<double>();
}

SubsetDistances summarize_subsets(const std::vector<double>& values) {
  if (values.empty()) fail("KID on no subsets");
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0, std::sqrt(squares / n)};
}

SubsetDistances subset_distances(const at::Tensor& x, const at::Tensor& y, std::int64_t subsets,
                                 std::int64_t size, Rng& rng) {
  if (size > std::min(x.size(0), y.size(0)))
    fail("KID on subsets of {}: the sets have {} and {} rows", size, x.size(0), y.size(0));
  std::vector<double> values;
  for (std::int64_t s = 0; s < subsets; ++s) {
    const at::Tensor of_x = drawn(x.size(0), size, rng), of_y = drawn(y.size(0), size, rng);
    values.push_back(kernel_distance(x.index_select(0, of_x), y.index_select(0, of_y)));
  }
  return summarize_subsets(values);
}

MetricResults kernel_metric(const FeatureSets& sets, const MetricOptions& options) {
  Rng rng = metric_stream(options, "kid");
  const ResamplingUnits units = resampling_units(sets.groups, kMostUnits, rng);
  const Parts parts = parts_of({sets.real, units.real}, {sets.fake, units.fake}, units.count);
  const auto distance = [&](const at::Tensor& weights) { return parts.distance(weights); };
  MetricResult out;
  out.value = distance(at::ones({1, units.count}, at::kDouble)).item<double>();
  out.uncertainty = bootstrap_interval(units, options.resamples, rng, distance);
  if (out.uncertainty.interval) {
    const at::Tensor without =
        distance(at::ones({units.count, units.count}, at::kDouble) - at::eye(units.count, at::kDouble));
    if (at::isfinite(without).all().item<bool>())
      out.uncertainty.standard_error = jackknife_error(units, out.value, without).standard_error;
  }
  if (options.kid_subsets > 0) {
    out.details["subsets"] = subsets_json(sets, options);
    out.protocol["subsets"] = options.kid_subsets;
    out.protocol["subset_size"] = options.kid_subset_size;
  }
  return {{"kid", std::move(out)}};
}

}  // namespace torsor
