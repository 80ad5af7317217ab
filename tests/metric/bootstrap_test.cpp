#include "metric/bootstrap.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "metric/kernel_distance.h"
#include "metric/unit_pairs.h"
#include "samples.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using testing::normal_rows;
using testing::separate;

// Means of values by units.
auto mean_of_units(const ResamplingUnits& units, const at::Tensor& values) {
  const at::Tensor sums = at::bincount(units.real, values, units.count),
                   counts = at::bincount(units.real, {}, units.count).to(at::kDouble);
  return [=](const at::Tensor& weights) { return at::mv(weights, sums) / at::mv(weights, counts); };
}

TEST(Bootstrap, CoversAMeanOfFewAndOfManyGroups) {
  Rng rng(1);
  constexpr int kTrials = 400;
  for (const std::int64_t n : {6, 40}) {
    int covered = 0;
    for (int t = 0; t < kTrials; ++t) {
      const at::Tensor values = normal_rows(n, 1, 3, rng).flatten();
      const ResamplingUnits units = resampling_units(ungrouped(n, 0), 1000, rng);
      const auto interval = bootstrap_interval(units, 500, rng, mean_of_units(units, values)).interval;
      ASSERT_TRUE(interval.has_value());
      covered += interval->low <= 3 && 3 <= interval->high;
    }
    EXPECT_GE(covered / double(kTrials), 0.895) << n << " groups; plain percentiles have 0.85 for 6";
    EXPECT_LE(covered / double(kTrials), 0.985) << n << " groups";
  }
}

TEST(Bootstrap, GoesByGroupsNotByImages) {
  // 10 patients with 20 equal images each: as if there were 10 images.
  Rng rng(2);
  SampleGroups groups;
  at::Tensor values = at::empty({200}, at::kDouble);
  for (std::int64_t p = 0; p < 10; ++p) {
    values.narrow(0, 20 * p, 20).fill_(rng.normal());
    for (int i = 0; i < 20; ++i) groups.real.push_back(p);
  }
  groups.count = 10;
  const auto width = [&](const SampleGroups& by) {
    Rng own(3);
    const ResamplingUnits units = resampling_units(by, 1000, own);
    const Interval i = *bootstrap_interval(units, 1000, own, mean_of_units(units, values)).interval;
    return i.high - i.low;
  };
  EXPECT_GT(width(groups), 3 * width(ungrouped(200, 0)));
}

TEST(Bootstrap, HasNoIntervalOfOneGroupAndSaysSo) {
  Rng rng(4);
  const SampleGroups one{std::vector<std::int64_t>(30, 0), {}, 1};
  const ResamplingUnits units = resampling_units(one, 1000, rng);
  const MetricInterval none =
      bootstrap_interval(units, 100, rng, [](const at::Tensor& w) { return w.sum(1); });
  EXPECT_FALSE(none.interval.has_value());
  EXPECT_THAT(none.none, HasSubstr("1 group of images"));
  EXPECT_THROW(bootstrap_weights(units, 10, rng), Error);
}

TEST(Bootstrap, DrawsStrataOnTheirOwnAndGroupsOfBothSetsTogether) {
  Rng rng(5);
  const ResamplingUnits apart = resampling_units(ungrouped(7, 9), 1000, rng);
  const at::Tensor weights = bootstrap_weights(apart, 50, rng);
  EXPECT_EQ(weights.sizes(), (std::vector<std::int64_t>{50, 16}));
  EXPECT_TRUE((weights.index_select(1, apart.real).sum(1) == 7).all().item<bool>());
  EXPECT_TRUE((weights.index_select(1, apart.fake).sum(1) == 9).all().item<bool>());
  const ResamplingUnits shared = resampling_units({{0, 1, 2, 3}, {3, 2, 1, 0}, 4}, 1000, rng);
  EXPECT_TRUE(shared.real.equal(shared.fake.flip(0)));
  EXPECT_EQ(shared.strata.size(), 1U);
}

TEST(Bootstrap, JoinsGroupsWhereThereAreTooMany) {
  Rng rng(6);
  const ResamplingUnits units = resampling_units(ungrouped(103, 50), 20, rng);
  EXPECT_EQ(units.count, 40);
  const at::Tensor sizes = at::bincount(at::cat({units.real, units.fake}), {}, 40);
  EXPECT_EQ(sizes.min().item<std::int64_t>(), 2);
  EXPECT_EQ(sizes.max().item<std::int64_t>(), 6);
}

TEST(UnitPairs, CopiesOfAUnitAreNotPairedWithEachOther) {
  // Two units of two rows; kernel k(i,j) = 10 i + j without i = j.
  const at::Tensor units = at::tensor({0, 0, 1, 1}, at::kLong), n = at::arange(4, at::kDouble);
  const at::Tensor kernel = 10 * n.unsqueeze(1) + n, off = 1 - at::eye(4, at::kDouble);
  const auto rows = [](const at::Tensor& m) {
    return [m](std::int64_t begin, std::int64_t count) { return m.narrow(0, begin, count).clone(); };
  };
  const UnitPairs pairs{unit_sums(units, units, 2, rows(kernel * off)),
                        unit_sums(units, units, 2, rows(off))};
  const at::Tensor once = at::ones({1, 2}, at::kDouble),
                   twice = at::tensor({2.0, 0.0}).to(at::kDouble).view({1, 2});
  EXPECT_NEAR(weighted_mean(pairs, once).item<double>(), (kernel * off).sum().item<double>() / 12, 1e-13);
  EXPECT_NEAR(weighted_mean(pairs, twice).item<double>(), (1 + 10) / 2.0, 1e-13)
      << "pairs 01 and 10, no other";
}

TEST(Jackknife, IsTheStandardErrorOfAMean) {
  Rng rng(7);
  const at::Tensor x = normal_rows(30, 1, 0, rng).flatten(), y = normal_rows(20, 1, 0, rng).flatten();
  const ResamplingUnits units = resampling_units(ungrouped(30, 20), 1000, rng);
  const auto difference = [&](const at::Tensor& r, const at::Tensor& f) {
    return std::vector<double>{(x.index_select(0, r).mean() - y.index_select(0, f).mean()).item<double>()};
  };
  const double value = (x.mean() - y.mean()).item<double>();
  const MetricInterval i = jackknife_intervals(units, {value}, 1, difference).front();
  const double exact = std::sqrt((x.var() / 30 + y.var() / 20).item<double>());
  EXPECT_NEAR(*i.standard_error, exact, 1e-12);
  EXPECT_GT(i.interval->high - value, 1.96 * exact);
  EXPECT_LT(i.interval->high - value, 2.1 * exact);
}

TEST(Jackknife, RefusesWhereTooFewWouldStay) {
  Rng rng(8);
  const ResamplingUnits units = resampling_units(ungrouped(5, 5), 1000, rng);
  const auto any = [](const at::Tensor& r, const at::Tensor&) {
    return std::vector<double>{double(r.numel())};
  };
  EXPECT_THAT(jackknife_intervals(units, {5}, 5, any).front().none, HasSubstr("fewer than 5"));
  const auto constant = [](const at::Tensor&, const at::Tensor&) { return std::vector<double>{1}; };
  EXPECT_THAT(jackknife_intervals(units, {1}, 2, constant).front().none, HasSubstr("no group changes"));
}

// E (x.y / 2 + 1)^3 of independent N(a, I) and N(b, I) in two dimensions, both means on one axis.
double mean_kernel(double a, double b) {
  const double ab = a * b, lengths = a * a + b * b;
  const double square = 2 + lengths + ab * ab, cube = ab * ab * ab + 3 * ab * lengths + 12 * ab;
  return cube / 8 + 3 * square / 4 + 3 * ab / 2 + 1;
}
TEST(Bootstrap, CoversTheKernelDistance) {
  Rng rng(9);
  for (const double shift : {0.0, 0.7}) {
    const double truth = mean_kernel(0, 0) + mean_kernel(shift, shift) - 2 * mean_kernel(0, shift);
    const at::Tensor towards = at::tensor({shift, 0.0}, at::kDouble);
    constexpr int kTrials = 100;
    int covered = 0;
    double mean = 0, errors = 0, squares = 0;
    for (int t = 0; t < kTrials; ++t) {
      MetricOptions options;
      options.resamples = 200;
      options.metric_seed = t;
      const auto results =
          kernel_metric(separate(normal_rows(40, 2, 0, rng), normal_rows(50, 2, 0, rng) + towards), options);
      const MetricResult& kid = results.at("kid");
      covered += kid.uncertainty.interval->low <= truth && truth <= kid.uncertainty.interval->high;
      mean += kid.value / kTrials;
      errors += *kid.uncertainty.standard_error / kTrials;
      squares += (kid.value - truth) * (kid.value - truth) / kTrials;
    }
    EXPECT_GE(covered, 0.89 * kTrials) << shift;
    EXPECT_NEAR(mean, truth, 4 * std::sqrt(squares / kTrials)) << "unbiased";
    EXPECT_GT(errors, 0.85 * std::sqrt(squares));
    EXPECT_LT(errors, 2.5 * std::sqrt(squares));
  }
}

}  // namespace
}  // namespace torsor
