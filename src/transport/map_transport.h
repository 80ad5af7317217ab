// What a translator's map costs, beside the best and the worst that could be done with the same images.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metric/metric_result.h"
#include "transport/sample_units.h"

namespace torsor {

/// Costs between the images x of one domain, their translations G(x) and the images y of the other; float64.
struct MapCosts {
  at::Tensor own;      // [n,n]: x_i to G(x_j)
  at::Tensor between;  // [n,m]: x to y
  at::Tensor from;     // [n,n]: x to x
  at::Tensor to;       // [m,m]: y to y
};

/// Costs between the images a and b of two domains, which maps either way share; float64.
struct DomainCosts {
  at::Tensor a, b, a_to_b;  // [n,n], [m,m], [n,m]

  MapCosts of_a_to_b(at::Tensor own) const { return {std::move(own), a_to_b, a, b}; }
  MapCosts of_b_to_a(at::Tensor own) const { return {std::move(own), a_to_b.t().contiguous(), b, a}; }
};

/// A map of some points against the best re-matching of the same points with the same images.
struct OwnCost {
  double cost = 0;      // of the map: the mean of c(x, G(x))
  double best = 0;      // of the best re-matching of {x} with {G(x)}
  double bound = 0;     // by how much at most `best` is not the least
  double own = 1;       // cost / best: 1 or more; 1 where both are 0, infinite where `best` alone is
  double shuffled = 1;  // the same of a planted bad map: the mean over all maps that give each output to
                        // another input at random
};

/// costs [n,n], c(x_i, G(x_j)). Throws as exact_assignment() does.
OwnCost own_cost(const at::Tensor& costs);

/// The share of pairs x, x' for which exchanging their images is cheaper by more than rounding:
/// c(x, G(x')) + c(x', G(x)) < c(x, G(x)) + c(x', G(x')). 0 of a map that is optimal for its own images
/// (cyclical monotonicity: Rockafellar 1966; Smith and Knott 1992). Nothing of one image.
std::optional<double> exchange_share(const at::Tensor& costs);

/// The share of random triples of images whose outputs had better be passed round in a ring, in one direction
/// or the other, by more than rounding. A turn of the plane by 90 degrees violates no pair, but every triple.
/// Nothing of two images.
std::optional<double> ring_share(const at::Tensor& costs, std::int64_t triples, Rng& rng);

/// A number with its 95 % interval, or why there is none.
struct TransportNumber {
  std::optional<double> value;
  std::string no_value;
  MetricInterval uncertainty;

  /// {"value", "interval": [low, high] or null, "no_interval" or "no_value" where something is missing}.
  Json json() const;
};

/// The figure at a size of the sample.
struct OwnAtSize {
  std::int64_t images = 0;
  double own = 1, shuffled = 1;
};

struct MapTransport {
  TransportNumber cost;       // of the map
  TransportNumber own;        // OwnCost::own
  TransportNumber optimal;    // the cheapest plan from x to y, as it is: mostly what finite samples differ by
  TransportNumber corrected;  // at half size, less the mean of the plans inside x and inside y
  TransportNumber random;     // the mean over all pairs (x, y)
  TransportNumber gap;        // (cost - corrected) / (random - corrected)
  TransportNumber exchange;   // exchange_share()
  TransportNumber ring;       // ring_share() of 5000 triples
  std::vector<OwnAtSize> sizes;  // n/4, n/2 and n
  double own_bound = 0, optimal_bound = 0;
  std::int64_t half = 0;  // images in each half of the correction
};

struct MapOptions {
  std::int64_t subsamples = 50;  // without replacement, for intervals; 0 = none
  std::int64_t splits = 10;      // into halves, whose mean corrects `optimal`
  std::uint64_t seed = 0;
};

/// Called with the subsamples that are done and their number; may throw to stop.
using MapProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// All of it. Intervals are value +- t standard errors of the statistic on random halves of the groups, drawn
/// without replacement (the delete-half jackknife: Shao and Wu, Annals of Statistics 17, 1989); an image that
/// a bootstrap draws twice would match itself at no cost. Throws as exact_transport() does.
MapTransport map_transport(const MapCosts& costs, const SampleUnits& x, const SampleUnits& y,
                           const MapOptions& options, const MapProgress& progress = {});

/// The mean of one number for each image, with Student's interval over the means of the groups.
TransportNumber mean_over_images(const std::vector<double>& values, const SampleUnits& units);

}  // namespace torsor
