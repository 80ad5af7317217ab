#include "metric/classifier_test.h"

#include <ATen/ATen.h>

#include <array>
#include <numeric>

#include "core/error.h"
#include "core/shuffle.h"
#include "metric/bootstrap.h"
#include "metric/logistic.h"
#include "metric/protocol.h"
#include "metric/resampling_strata.h"
#include "metric/unit_pairs.h"

namespace torsor {

namespace {

// [n,min(n,d)] with the same inner products as the rows divided by the root of d: all that a regression with
// weight decay sees of them. By QR of the transpose, which equal rows do not trouble as they do eigenvalues.
at::Tensor compact(const at::Tensor& rows) {
  const at::Tensor scaled = rows / std::sqrt(static_cast<double>(rows.size(1)));
  if (rows.size(0) >= rows.size(1)) return scaled;
  return std::get<1>(at::linalg_qr(scaled.t(), "r")).t();
}

at::Tensor standardized(const at::Tensor& rows) {
  const at::Tensor centred = rows - rows.mean(0), deviation = centred.square().mean(0).sqrt();
  return centred / at::where(deviation > 0, deviation, at::ones_like(deviation));
}

// The fold of each row of a set, [N].
at::Tensor row_folds(const std::vector<std::int64_t>& group_of_row, const std::vector<std::int64_t>& folds) {
  at::Tensor out = at::empty({std::ssize(group_of_row)}, at::kLong);
  for (std::size_t i = 0; i < group_of_row.size(); ++i)
    out.data_ptr<std::int64_t>()[i] = folds[static_cast<std::size_t>(group_of_row[i])];
  return out;
}

// At most `most` of the rows of a set with their groups.
void keep_some(at::Tensor& rows, std::vector<std::int64_t>& groups, std::int64_t most, Rng& rng) {
  if (rows.size(0) <= most) return;
  std::vector<std::int64_t> places(groups.size()), kept;
  std::iota(places.begin(), places.end(), 0);
  shuffle(places.begin(), std::ssize(places), rng);
  places.resize(static_cast<std::size_t>(most));
  for (const std::int64_t place : places) kept.push_back(groups[static_cast<std::size_t>(place)]);
  rows = rows.index_select(0, at::tensor(places, at::kLong));
  groups = std::move(kept);
}

struct HeldOut {
  at::Tensor real, fake;              // scores, [N], [M]
  at::Tensor real_folds, fake_folds;  // [N], [M]
};

// 1 where the fake image of a pair has the larger score, 1/2 for equal ones; pairs of one fold count.
UnitPairs score_pairs(const HeldOut& scores, const ResamplingUnits& units) {
  const auto same_fold = [&](std::int64_t begin, std::int64_t count) {
    return (scores.real_folds.narrow(0, begin, count).unsqueeze(1) == scores.fake_folds).to(at::kDouble);
  };
  const auto won = [&](std::int64_t begin, std::int64_t count) {
    const at::Tensor real = scores.real.narrow(0, begin, count).unsqueeze(1);
    return ((scores.fake > real).to(at::kDouble) + (scores.fake == real).to(at::kDouble) / 2)
        .mul_(same_fold(begin, count));
  };
  return {unit_sums(units.real, units.fake, units.count, won),
          unit_sums(units.real, units.fake, units.count, same_fold)};
}

// Right answers and images by unit, [U] each.
struct Hits {
  at::Tensor right, all;
  at::Tensor share(const at::Tensor& weights) const { return at::mv(weights, right) / at::mv(weights, all); }
};

Hits hits(const at::Tensor& right, const at::Tensor& units, std::int64_t count) {
  return {at::bincount(units, right.to(at::kDouble), count), at::bincount(units, {}, count).to(at::kDouble)};
}

Json interval_json(const MetricInterval& around) {
  if (!around.interval) return nullptr;
  return Json::array({around.interval->low, around.interval->high});
}

}  // namespace

std::vector<std::int64_t> group_folds(const SampleGroups& groups, std::int64_t folds, Rng& rng) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(groups.count), 0);
  const GroupSides sides = group_sides(groups);
  std::vector<std::array<bool, 2>> filled(static_cast<std::size_t>(folds), {false, false});
  std::int64_t next = 0;
  for (auto part : {sides.both, sides.real_only, sides.fake_only}) {
    shuffle(part.begin(), std::ssize(part), rng);
    for (const std::int64_t group : part) out[static_cast<std::size_t>(group)] = next++ % folds;
  }
  const auto fold_at = [&](std::int64_t group) { return static_cast<std::size_t>(out[std::size_t(group)]); };
  for (const std::int64_t group : groups.real) filled[fold_at(group)][0] = true;
  for (const std::int64_t group : groups.fake) filled[fold_at(group)][1] = true;
  for (const auto& [real, fake] : filled)
    if (!real || !fake)
      fail(
          "c2st with {} folds: a fold has no image of one of the sets, since groups are not split; take "
          "more groups or a smaller --c2st-folds",
          folds);
  return out;
}

at::Tensor held_out_scores(const FeatureSets& sets, const std::vector<std::int64_t>& fold_of_group,
                           std::int64_t folds, double penalty) {
  const at::Tensor features = standardized(at::cat({sets.real, sets.fake}).to(at::kDouble));
  const at::Tensor rows = compact(at::cat({features, standardized(features.square())}, 1));
  const at::Tensor classes =
      at::cat({at::zeros({sets.real.size(0)}, at::kDouble), at::ones({sets.fake.size(0)}, at::kDouble)});
  const at::Tensor fold =
      at::cat({row_folds(sets.groups.real, fold_of_group), row_folds(sets.groups.fake, fold_of_group)});
  at::Tensor scores = at::empty_like(classes);
  for (std::int64_t f = 0; f < folds; ++f) {
    const at::Tensor inside = at::nonzero(fold == f).flatten(), outside = at::nonzero(fold != f).flatten();
    const LogisticFit fit =
        fit_logistic(rows.index_select(0, outside), classes.index_select(0, outside), penalty);
    scores.index_copy_(0, inside, fit.log_odds(rows.index_select(0, inside)));
  }
  return scores;
}

MetricResults classifier_metric(const FeatureSets& all, const MetricOptions& options) {
  constexpr std::int64_t kMost = 4000;  // images of a set, for minutes rather than hours
  Rng rng = metric_stream(options, "c2st");
  FeatureSets sets = all;
  keep_some(sets.real, sets.groups.real, kMost, rng);
  keep_some(sets.fake, sets.groups.fake, kMost, rng);
  const auto folds = group_folds(sets.groups, options.c2st_folds, rng);
  const at::Tensor scores = held_out_scores(sets, folds, options.c2st_folds, options.c2st_penalty);
  const std::int64_t n = sets.real.size(0), m = sets.fake.size(0);
  const HeldOut held_out{scores.narrow(0, 0, n), scores.narrow(0, n, m), row_folds(sets.groups.real, folds),
                         row_folds(sets.groups.fake, folds)};
  const ResamplingUnits units = resampling_units(sets.groups, kMostUnits, rng);
  const UnitPairs pairs = score_pairs(held_out, units);
  const Hits real = hits(held_out.real < 0, units.real, units.count),
             fake = hits(held_out.fake > 0, units.fake, units.count);
  const auto area = [&](const at::Tensor& weights) { return weighted_mean(pairs, weights); };
  const auto accuracy = [&](const at::Tensor& w) { return (real.share(w) + fake.share(w)) / 2; };
  const at::Tensor once = at::ones({1, units.count}, at::kDouble);
  MetricResult out;
  out.value = area(once).item<double>();
  out.uncertainty = bootstrap_interval(units, options.resamples, rng, area);
  const auto& interval = out.uncertainty.interval;
  out.details["distinguishable"] = interval ? Json(interval->low > 0.5) : Json(nullptr);
  out.details["accuracy"] = accuracy(once).item<double>();
  out.details["accuracy_interval"] =
      interval_json(bootstrap_interval(units, options.resamples, rng, accuracy));
  out.protocol["classifier"] = "logistic regression of features and their squares";
  out.protocol["used"] = {{"real", n}, {"fake", m}};
  out.protocol["folds"] = options.c2st_folds;
  out.protocol["penalty"] = options.c2st_penalty;
  return {{"c2st", std::move(out)}};
}

}  // namespace torsor
