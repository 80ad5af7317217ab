// Planted maps, whose figures are known.
#include "transport/map_transport.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "planted_points.h"
#include "test_support.h"
#include "transport/closed_forms.h"
#include "transport/pair_costs.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;
using testing::normal_points;

const CostOptions kSquared{"squared"};

SampleUnits separate_units(std::int64_t count) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < count; ++i) groups.push_back(i);
  return SampleUnits(groups);
}

MapCosts costs_of_map(const at::Tensor& x, const at::Tensor& mapped, const at::Tensor& y) {
  return {pair_costs(x, mapped, kSquared), pair_costs(x, y, kSquared), pair_costs(x, x, kSquared),
          pair_costs(y, y, kSquared)};
}

MapTransport transport_of(const at::Tensor& x, const at::Tensor& mapped, const at::Tensor& y,
                          const MapOptions& options = {}) {
  return map_transport(costs_of_map(x, mapped, y), separate_units(x.size(0)), separate_units(y.size(0)),
                       options);
}

TEST(OwnCost, OfTheIdentityIsOne) {
  Rng rng(1);
  const at::Tensor x = normal_points(12, 3, 0, rng);
  const OwnCost found = own_cost(pair_costs(x, x, kSquared));
  EXPECT_EQ(found.cost, 0);
  EXPECT_EQ(found.own, 1);
  EXPECT_TRUE(std::isinf(found.shuffled));
  EXPECT_EQ(exchange_share(pair_costs(x, x, kSquared)), 0.0);
}

TEST(OwnCost, OfMonotoneMapsOfTheLineIsOneAndOfOthersAbove) {
  Rng rng(2);
  const at::Tensor x = normal_points(30, 1, 0, rng);
  const at::Tensor rising = pair_costs(x, 2 * x.pow(3) + 1, kSquared),
                   falling = pair_costs(x, 1 - x, kSquared);
  EXPECT_EQ(own_cost(rising).own, 1);
  EXPECT_EQ(exchange_share(rising), 0.0);
  EXPECT_GT(own_cost(rising).shuffled, 1.05);
  EXPECT_GT(own_cost(falling).own, 2);
  EXPECT_EQ(exchange_share(falling), 1.0) << "every pair had better be exchanged";
  // A turn of the order is one map among the shuffled ones.
  const OwnCost turned = own_cost(rising.roll(1, 1));
  EXPECT_NEAR(turned.best, own_cost(rising).best, 1e-12);
  EXPECT_GT(turned.own, 1);
}

// The mean over all maps that give each output to another input, one after the other.
TEST(OwnCost, ShuffledIsTheMeanOfAllTurns) {
  Rng rng(3);
  const at::Tensor x = normal_points(7, 2, 0, rng), costs = pair_costs(x, x.square(), kSquared);
  double sum = 0;
  for (int turn = 1; turn < 7; ++turn) sum += costs.roll(turn, 1).diagonal().mean().item<double>();
  const OwnCost found = own_cost(costs);
  EXPECT_NEAR(found.shuffled * found.best, sum / 6, 1e-12);
}

// A translation, of any size, is optimal; the turn of the plane is not, and the more points the plainer.
TEST(MapTransport, TellsATranslationFromATurn) {
  Rng rng(4);
  const at::Tensor x = normal_points(120, 2, 0, rng), y = normal_points(90, 2, 0, rng);
  const MapTransport moved = transport_of(x, x + 3, y + 3, {.subsamples = 10});
  EXPECT_NEAR(*moved.own.value, 1, 1e-12);
  EXPECT_EQ(*moved.exchange.value, 0);
  EXPECT_NEAR(*moved.cost.value, 9, 1e-9);
  EXPECT_NEAR(*moved.corrected.value, 9, 1);
  EXPECT_NEAR(*moved.random.value, 10, 1.5);
  EXPECT_NEAR(*moved.gap.value, 0, 0.4);

  const at::Tensor turn = at::tensor({0.0, 1.0, -1.0, 0.0}, at::kDouble).reshape({2, 2});
  const MapTransport turned = transport_of(x, at::matmul(x, turn), y, {.subsamples = 20});
  EXPECT_GT(*turned.own.value, 5);
  EXPECT_GT(turned.sizes[1].own, turned.sizes[0].own) << "it rises with n";
  EXPECT_GT(turned.sizes[2].own, turned.sizes[1].own);
  EXPECT_EQ(turned.sizes[2].images, 120);
  EXPECT_EQ(turned.sizes[1].images, 60);
  EXPECT_EQ(turned.sizes[0].images, 30);
  EXPECT_NEAR(*turned.exchange.value, 0, 1e-3) << "at a right angle every exchange costs the same";
  EXPECT_GT(*turned.ring.value, 0.99);
  EXPECT_EQ(*moved.ring.value, 0);
  // Both domains are one distribution: what an assignment costs is what finite samples differ by.
  EXPECT_GT(*turned.optimal.value, 0.02);
  EXPECT_NEAR(*turned.corrected.value, 0, 0.1);
  EXPECT_NEAR(*turned.gap.value, 1, 0.25) << "x and its quarter turn are as far apart as any two points";
}

TEST(MapTransport, OfTheOptimalMapOfGaussiansIsTheirDistance) {
  Rng rng(5);
  const at::Tensor spread = at::diag(at::tensor({4.0, 0.25}, at::kDouble));
  const Gaussian from{at::zeros({2}, at::kDouble), at::eye(2, at::kDouble)},
      to{at::ones({2}, at::kDouble), spread};
  const GaussianMap map = gaussian_map(from, to);
  const at::Tensor x = normal_points(200, 2, 0, rng), y = map(normal_points(200, 2, 0, rng));
  const MapTransport found = transport_of(x, map(x), y, {.subsamples = 20, .splits = 4});
  const double distance = bures_wasserstein(from, to) / 2;  // a mean over the two coordinates
  EXPECT_NEAR(*found.own.value, 1, 1e-9);
  EXPECT_NEAR(*found.cost.value, distance, 0.25 * distance);
  EXPECT_NEAR(*found.corrected.value, distance, 0.25 * distance);
  for (const TransportNumber* number : {&found.cost, &found.corrected, &found.optimal, &found.random}) {
    ASSERT_TRUE(number->uncertainty.interval);
    EXPECT_LT(number->uncertainty.interval->low, *number->value);
    EXPECT_GT(number->uncertainty.interval->high, *number->value);
  }
  const Interval gap = *found.gap.uncertainty.interval;
  EXPECT_LT(gap.low, 0.1);
  EXPECT_GT(gap.high, -0.1);
  EXPECT_LT(found.own_bound, 1e-12);
  EXPECT_LT(found.optimal_bound, 1e-12);
  EXPECT_EQ(found.half, 100);
}

// Of a mean, halves without replacement give the standard error that everybody knows.
TEST(MapTransport, IntervalsAreThoseOfAMean) {
  Rng rng(6);
  const at::Tensor x = normal_points(40, 1, 0, rng), mapped = x + normal_points(40, 1, 0, rng);
  const MapTransport found = transport_of(x, mapped, x, {.subsamples = 300, .splits = 1});
  const at::Tensor costs = (x - mapped).square();
  const double error = costs.std().item<double>() / std::sqrt(40.0);
  EXPECT_NEAR(*found.cost.uncertainty.standard_error, error, 0.15 * error);
  // The same seed, the same bits.
  EXPECT_EQ(transport_of(x, mapped, x, {.subsamples = 10}).own.json(),
            transport_of(x, mapped, x, {.subsamples = 10}).own.json());
}

// Triples by brute force.
TEST(RingShare, IsThatOfAllTriples) {
  Rng rng(9);
  const at::Tensor x = normal_points(9, 2, 0, rng),
                   costs = pair_costs(x, normal_points(9, 2, 0, rng) + x, kSquared);
  const auto c = costs.accessor<double, 2>();
  int violated = 0, all = 0;
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < i; ++j)
      for (int k = 0; k < j; ++k, ++all) {
        const double kept = c[i][i] + c[j][j] + c[k][k];
        if (c[i][j] + c[j][k] + c[k][i] < kept || c[i][k] + c[k][j] + c[j][i] < kept) ++violated;
      }
  EXPECT_GT(violated, 0);
  EXPECT_LT(violated, all);
  EXPECT_NEAR(*ring_share(costs, 100000, rng), static_cast<double>(violated) / all, 0.01);
  EXPECT_FALSE(ring_share(costs.narrow(0, 0, 2).narrow(1, 0, 2), 10, rng));
}

TEST(MapTransport, OfOneImageHasNoIntervals) {
  const at::Tensor x = at::zeros({1, 4}, at::kDouble), y = at::ones({1, 4}, at::kDouble);
  const MapTransport found = transport_of(x, y, y);
  EXPECT_EQ(*found.own.value, 1);
  EXPECT_EQ(*found.cost.value, 1);
  EXPECT_EQ(*found.optimal.value, 1);
  EXPECT_FALSE(found.corrected.value);
  EXPECT_THAT(found.corrected.json().at("no_value"), HasSubstr("no halves"));
  EXPECT_FALSE(found.gap.value);
  EXPECT_FALSE(found.exchange.value);
  EXPECT_THAT(found.cost.json().at("no_interval"), HasSubstr("1 groups"));
  EXPECT_EQ(found.cost.json().at("interval"), nullptr);
}

TEST(MapTransport, StopsWhereItIsAskedTo) {
  Rng rng(7);
  const at::Tensor x = normal_points(10, 1, 0, rng);
  const MapCosts costs = costs_of_map(x, x, x);
  const auto stop = [](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 50);
    if (done == 3) throw Error("enough");
  };
  EXPECT_EQ(
      testing::error_of([&] { map_transport(costs, separate_units(10), separate_units(10), {}, stop); }),
      "enough");
}

TEST(SampleUnits, PartsKeepGroupsWhole) {
  Rng rng(8);
  const SampleUnits units({7, 7, 7, 3, 3, 9, 9, 9, 1, 2});
  EXPECT_EQ(units.units(), 5);
  for (int trial = 0; trial < 50; ++trial) {
    const std::vector<std::int64_t> part = units.part(0.5, rng);
    const std::set<std::int64_t> chosen(part.begin(), part.end());
    EXPECT_EQ(chosen.size(), part.size()) << "without replacement";
    EXPECT_EQ(chosen.contains(0), chosen.contains(1));
    EXPECT_EQ(chosen.contains(5), chosen.contains(7));
    EXPECT_GE(part.size(), 3u);
    EXPECT_LE(part.size(), 7u);
    const SampleUnits::Halves halves = units.halves(5, rng);
    for (const std::int64_t image : halves.first)
      EXPECT_EQ(std::count(halves.second.begin(), halves.second.end(), image), 0);
    EXPECT_LE(halves.first.size(), 5u);
    EXPECT_FALSE(halves.second.empty());
  }
  EXPECT_EQ(units.among({1, 8, 0}).units(), 2);
  EXPECT_THAT(units.means({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), ::testing::ElementsAre(9, 10, 4.5, 2, 7));
}

TEST(MeanOverImages, HasTheIntervalOfItsGroups) {
  const SampleUnits units({0, 0, 1, 2, 3, 4, 5});
  const TransportNumber found = mean_over_images({1, 1, 2, 3, 4, 5, 6}, units);
  EXPECT_NEAR(*found.value, 22.0 / 7, 1e-12);
  const Interval interval = *found.uncertainty.interval;
  EXPECT_NEAR((interval.low + interval.high) / 2, 22.0 / 7, 1e-12);
  EXPECT_THAT(mean_over_images({1, 2}, SampleUnits({0, 1})).uncertainty.none, HasSubstr("2 groups"));
}

}  // namespace
}  // namespace torsor
