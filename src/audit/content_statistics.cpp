#include "audit/content_statistics.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "audit/group_cut.h"
#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/two_sample.h"
#include "metric/unit_pairs.h"

namespace torsor {

namespace {

// Groups of two sets that are not the same images, in one numbering without gaps.
SampleGroups apart(const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& y) {
  SampleGroups out;
  std::map<std::int64_t, std::int64_t> of_x, of_y;
  for (const std::int64_t group : x) out.real.push_back(of_x.emplace(group, std::ssize(of_x)).first->second);
  for (const std::int64_t group : y)
    out.fake.push_back(std::ssize(of_x) + of_y.emplace(group, std::ssize(of_y)).first->second);
  out.count = std::ssize(of_x) + std::ssize(of_y);
  return out;
}

// Groups of two parts of one set: a group may have images in both.
SampleGroups parted(const std::vector<std::int64_t>& first, const std::vector<std::int64_t>& second) {
  SampleGroups out;
  std::map<std::int64_t, std::int64_t> ids;
  const auto id_of = [&](std::int64_t group) { return ids.emplace(group, std::ssize(ids)).first->second; };
  for (const std::int64_t group : first) out.real.push_back(id_of(group));
  for (const std::int64_t group : second) out.fake.push_back(id_of(group));
  out.count = std::ssize(ids);
  return out;
}

std::vector<std::int64_t> groups_at(const std::vector<std::int64_t>& groups, const at::Tensor& places) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < places.numel(); ++i)
    out.push_back(groups[static_cast<std::size_t>(places[i].item<std::int64_t>())]);
  return out;
}

// Sums over units, so that a resample is a product with its weights.
struct UnitMean {
  UnitMean(const at::Tensor& values, const at::Tensor& units, std::int64_t count)
      : sums(at::bincount(units, values.to(at::kDouble), count)),
        counts(at::bincount(units, {}, count).to(at::kDouble)) {}
  at::Tensor operator()(const at::Tensor& weights) const {  // [B,U] -> [B]
    return at::mv(weights, sums) / at::mv(weights, counts);
  }
  at::Tensor sums, counts;  // [U]
};

Estimate bootstrapped(const ResamplingUnits& units, std::int64_t resamples, Rng& rng,
                      const std::function<at::Tensor(const at::Tensor&)>& statistic) {
  const at::Tensor once = at::ones({1, units.count}, at::kDouble);
  const MetricInterval around = bootstrap_interval(units, resamples, rng, statistic);
  return {statistic(once).item<double>(), around.interval, around.none};
}

// The mean of each group, [G,1].
at::Tensor group_means(const at::Tensor& values, const std::vector<std::int64_t>& groups) {
  const SampleGroups dense = apart(groups, {});
  const UnitMean mean(values, at::tensor(dense.real, at::kLong), dense.count);
  return (mean.sums / mean.counts).unsqueeze(1);
}

// The images of each class and of both classes by unit, [U,K].
at::Tensor class_counts(const at::Tensor& which, const at::Tensor& classes, const at::Tensor& units,
                        std::int64_t unit_count, std::int64_t class_count) {
  const at::Tensor places = at::nonzero(which).flatten();
  const at::Tensor cell = units.index_select(0, places) * class_count + classes.index_select(0, places);
  return at::bincount(cell, {}, unit_count * class_count).to(at::kDouble).view({unit_count, class_count});
}

// [B,U] -> [B,K]: the classifier's recall of each class.
std::function<at::Tensor(const at::Tensor&)> recall_of(const ClassSample& sample,
                                                       const ResamplingUnits& units) {
  const std::int64_t k = sample.classes;
  if (!sample.y_true.defined())
    return [k](const at::Tensor& w) { return at::ones({w.size(0), k}, at::kDouble); };
  const at::Tensor known = sample.y_true >= 0;
  const at::Tensor all = class_counts(known, sample.y_true, units.fake, units.count, k),
                   right = class_counts(known & (sample.y_said == sample.y_true), sample.y_true, units.fake,
                                        units.count, k);
  return
      [all, right](const at::Tensor& w) { return (at::matmul(w, right) + 0.5) / (at::matmul(w, all) + 1); };
}

}  // namespace

ContentShift content_shift(const ContentSample& sample, std::int64_t resamples, Rng& rng) {
  const ResamplingUnits units = resampling_units(apart(sample.groups_x, sample.groups_y), kMostUnits, rng);
  const UnitMean x(sample.x, units.real, units.count), g(sample.translated, units.real, units.count),
      y(sample.y, units.fake, units.count);
  ContentShift out;
  out.x = sample.x.to(at::kDouble).mean().item<double>();
  out.translated = sample.translated.to(at::kDouble).mean().item<double>();
  out.y = sample.y.to(at::kDouble).mean().item<double>();
  out.gap = bootstrapped(units, resamples, rng, [&](const at::Tensor& w) { return y(w) - x(w); });
  if (out.gap.low() > 0 || out.gap.high() < 0)
    out.moved = bootstrapped(units, resamples, rng,
                             [&](const at::Tensor& w) { return (g(w) - x(w)) / (y(w) - x(w)); });
  return out;
}

Estimate share_estimate(const at::Tensor& is, const std::vector<std::int64_t>& groups) {
  const double share = is.to(at::kDouble).mean().item<double>();
  const std::int64_t trials = count_groups(groups);
  Estimate out;
  out.value = share;
  out.interval = share_interval(std::llround(share * static_cast<double>(trials)), trials);
  return out;
}

double content_difference_p(const ContentSample& sample, std::int64_t permutations, Rng& rng) {
  return energy_test(group_means(sample.x, sample.groups_x), group_means(sample.y, sample.groups_y),
                     permutations, rng)
      .p;
}

double separating_value(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor all = std::get<0>(at::cat({x, y}).to(at::kDouble).sort());
  const auto above = [&](const at::Tensor& set) {
    const at::Tensor sorted = std::get<0>(set.to(at::kDouble).sort());
    return 1 - at::searchsorted(sorted, all, /*out_int32=*/false, /*right=*/true).to(at::kDouble) /
                   static_cast<double>(set.numel());
  };
  const auto place = (above(x) - above(y)).abs().argmax().item<std::int64_t>();
  return all[place].item<double>();
}

std::optional<Estimate> rank_correlation(const at::Tensor& values, const at::Tensor& is,
                                         const std::vector<std::int64_t>& groups, std::int64_t resamples,
                                         Rng& rng) {
  const at::Tensor with = at::nonzero(is).flatten(), without = at::nonzero(is == 0).flatten();
  if (with.numel() == 0 || without.numel() == 0) return std::nullopt;
  const at::Tensor high = values.index_select(0, with), low = values.index_select(0, without);
  const ResamplingUnits units =
      resampling_units(parted(groups_at(groups, with), groups_at(groups, without)), kMostUnits, rng);
  const auto exceeds = [&](std::int64_t begin, std::int64_t count) {
    const at::Tensor rows = high.narrow(0, begin, count).unsqueeze(1);
    return (rows > low).to(at::kDouble) - (rows < low).to(at::kDouble);
  };
  const auto one = [&](std::int64_t, std::int64_t count) {
    return at::ones({count, low.numel()}, at::kDouble);
  };
  const at::Tensor sums = unit_sums(units.real, units.fake, units.count, exceeds),
                   counts = unit_sums(units.real, units.fake, units.count, one);
  return bootstrapped(units, resamples, rng, [&](const at::Tensor& w) {
    return (at::matmul(w, sums) * w).sum(1) / (at::matmul(w, counts) * w).sum(1);
  });
}

ClassAgreement class_agreement(const ClassSample& sample, std::int64_t resamples, Rng& rng) {
  const at::Tensor places = at::nonzero(sample.x >= 0).flatten();
  if (places.numel() == 0)
    fail("no input has a class: there is nothing to compare translations' classes with");
  const at::Tensor x = sample.x.index_select(0, places);
  const at::Tensor agree = (sample.translated.index_select(0, places) == x).to(at::kDouble);
  const ResamplingUnits units =
      resampling_units(apart(groups_at(sample.groups_x, places), sample.groups_y), kMostUnits, rng);
  const UnitMean agreement(agree, units.real, units.count);
  const auto recall = recall_of(sample, units);
  const at::Tensor inputs = class_counts(x >= 0, x, units.real, units.count, sample.classes);  // [U,K]
  const auto attainable = [&](const at::Tensor& w) {
    const at::Tensor of_class = at::matmul(w, inputs);
    return (of_class * recall(w)).sum(1) / of_class.sum(1);
  };
  ClassAgreement out;
  out.agreement = bootstrapped(units, resamples, rng, agreement);
  out.attainable = attainable(at::ones({1, units.count}, at::kDouble)).item<double>();
  out.shortfall =
      bootstrapped(units, resamples, rng, [&](const at::Tensor& w) { return attainable(w) - agreement(w); });
  return out;
}

double classifier_power(const at::Tensor& truth, const at::Tensor& said, std::int64_t classes) {
  double recalls = 0;
  std::int64_t present = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    const at::Tensor places = at::nonzero(truth == k).flatten();
    if (places.numel() == 0) continue;
    recalls += (said.index_select(0, places) == k).to(at::kDouble).mean().item<double>();
    ++present;
  }
  if (present == 0) fail("the power of a classifier needs images with a class");
  const double chance = 1 / static_cast<double>(classes);
  return (recalls / static_cast<double>(present) - chance) / (1 - chance);
}

}  // namespace torsor
