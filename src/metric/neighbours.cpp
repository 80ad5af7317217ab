#include "metric/neighbours.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/protocol.h"
#include "metric/unit_pairs.h"

namespace torsor {

namespace {

constexpr std::int64_t kMostForIntervals = 8000;  // images; their distances are 0.5 GB

// Rows begin ... begin + count of a matrix of distances, computed or at hand.
using DistanceRows = std::function<at::Tensor(std::int64_t begin, std::int64_t count)>;

struct Distances {
  std::int64_t n = 0, m = 0;
  DistanceRows of_real, of_fake, between;  // [N,N], [M,M], [N,M]
};

// Not by matrix products, which would leave equal rows a distance of about 1e-7.
at::Tensor distances(const at::Tensor& x, const at::Tensor& y) {
  constexpr std::int64_t kWithoutProducts = 2;
  return at::cdist(x, y, 2, kWithoutProducts);
}

DistanceRows computed(const at::Tensor& x, const at::Tensor& y) {
  return [x, y](std::int64_t begin, std::int64_t count) { return distances(x.narrow(0, begin, count), y); };
}

DistanceRows at_hand(const at::Tensor& matrix) {
  return [matrix](std::int64_t begin, std::int64_t count) { return matrix.narrow(0, begin, count); };
}

// Distance of each row to its k-th nearest other one, [N].
at::Tensor radii(std::int64_t n, const DistanceRows& rows, std::int64_t k) {
  at::Tensor out = at::empty({n}, at::kDouble);
  for_row_blocks(n, n, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor block = rows(begin, count).clone();
    block.diagonal(begin).fill_(std::numeric_limits<double>::infinity());
    out.narrow(0, begin, count).copy_(std::get<0>(block.kthvalue(k, 1)));
  });
  return out;
}

double mean_of(const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }

NeighbourScores scores_of(const Distances& d, std::int64_t k) {
  const at::Tensor real_radii = radii(d.n, d.of_real, k), fake_radii = radii(d.m, d.of_fake, k);
  at::Tensor spheres = at::zeros({d.m}, at::kLong);  // of reals around each fake
  at::Tensor recalled = at::empty({d.n}, at::kBool), covered = at::empty({d.n}, at::kBool);
  for_row_blocks(d.n, d.m, [&](std::int64_t begin, std::int64_t count) {
    const at::Tensor block = d.between(begin, count), own = real_radii.narrow(0, begin, count);
    const at::Tensor inside = block < own.unsqueeze(1);
    spheres += inside.sum(0);
    covered.narrow(0, begin, count).copy_(inside.any(1));
    recalled.narrow(0, begin, count).copy_((block < fake_radii).any(1));
  });
  return {mean_of(spheres > 0), mean_of(recalled), mean_of(spheres) / static_cast<double>(k),
          mean_of(covered)};
}

std::vector<double> listed(const NeighbourScores& s) {
  return {s.precision, s.recall, s.density, s.coverage};
}

std::vector<MetricInterval> intervals(const FeatureSets& sets, const MetricOptions& options,
                                      const std::vector<double>& values) {
  if (options.resamples == 0) return std::vector<MetricInterval>(values.size(), no_interval_asked());
  if (sets.real.size(0) + sets.fake.size(0) > kMostForIntervals) {
    MetricInterval none;
    none.none = fmt::format("more than {} images: their distances would fill the memory", kMostForIntervals);
    return std::vector<MetricInterval>(values.size(), none);
  }
  const at::Tensor real = distances(sets.real, sets.real), fake = distances(sets.fake, sets.fake),
                   between = distances(sets.real, sets.fake);
  const auto part = [](const at::Tensor& matrix, const at::Tensor& rows, const at::Tensor& columns) {
    return at_hand(matrix.index_select(0, rows).index_select(1, columns));
  };
  const auto without = [&](const at::Tensor& r, const at::Tensor& f) {
    return listed(scores_of({r.numel(), f.numel(), part(real, r, r), part(fake, f, f), part(between, r, f)},
                            options.nearest_k));
  };
  Rng rng = metric_stream(options, "neighbours");
  const ResamplingUnits units = resampling_units(sets.groups, jackknife_parts(sets), rng);
  return jackknife_intervals(units, values, options.nearest_k + 1, without);
}

}  // namespace

NeighbourScores neighbour_scores(const at::Tensor& real, const at::Tensor& fake, std::int64_t k) {
  if (real.dim() != 2 || fake.dim() != 2 || real.size(1) != fake.size(1) || k < 1 ||
      std::min(real.size(0), fake.size(0)) <= k)
    fail("the {} nearest neighbours need two sets of features [N,d] and [M,d] of {} rows or more", k, k + 1);
  const at::Tensor x = real.to(at::kDouble), y = fake.to(at::kDouble);
  return scores_of({x.size(0), y.size(0), computed(x, x), computed(y, y), computed(x, y)}, k);
}

MetricResults neighbour_metrics(const FeatureSets& sets, const MetricOptions& options) {
  const std::vector<std::string> names = {"precision", "recall", "density", "coverage"};
  const std::vector<double> values = listed(neighbour_scores(sets.real, sets.fake, options.nearest_k));
  const std::vector<MetricInterval> around = intervals(sets, options, values);
  MetricResults out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    MetricResult& result = out[names[i]];
    result.value = values[i];
    result.uncertainty = around[i];
    result.protocol["nearest_k"] = options.nearest_k;
    if (auto& interval = result.uncertainty.interval) {
      interval->low = std::max(0.0, interval->low);
      if (names[i] != "density") interval->high = std::min(1.0, interval->high);
    }
  }
  return out;
}

}  // namespace torsor
