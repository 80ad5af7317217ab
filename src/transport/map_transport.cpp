#include "transport/map_transport.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "metric/bootstrap.h"
#include "transport/exact_transport.h"

namespace torsor {

namespace {

constexpr double kTie = 1e-12;  // of a cost: nearer than this is equal
constexpr std::int64_t kLeastSubsamples = 10;
constexpr std::int64_t kTriples = 5000;

using Places = std::vector<std::int64_t>;

at::Tensor costs_at(const at::Tensor& costs, const Places& rows, const Places& columns) {
  return costs.index_select(0, at::tensor(rows, at::kLong)).index_select(1, at::tensor(columns, at::kLong));
}

double ratio_of_costs(double cost, double best) {
  if (best > 0) return std::max(1.0, cost / best);
  return cost > 0 ? std::numeric_limits<double>::infinity() : 1.0;
}

// At half size, less what halves of one set cost each other. Nothing where a set has no halves.
std::optional<double> corrected_once(const MapCosts& costs, const SampleUnits& x, const SampleUnits& y,
                                     Rng& rng) {
  const std::int64_t half = std::min(x.images(), y.images()) / 2;
  const SampleUnits::Halves p = x.halves(half, rng), q = y.halves(half, rng);
  if (p.first.empty() || p.second.empty() || q.first.empty() || q.second.empty()) return std::nullopt;
  const auto plan = [](const at::Tensor& all, const Places& rows, const Places& columns) {
    return exact_transport(costs_at(all, rows, columns)).cost;
  };
  const double across = plan(costs.between, p.first, q.first) + plan(costs.between, p.second, q.second);
  return (across - plan(costs.from, p.first, p.second) - plan(costs.to, q.first, q.second)) / 2;
}

std::optional<double> gap_of(double cost, std::optional<double> least, double random) {
  if (!least || !(random > *least)) return std::nullopt;
  return (cost - *least) / (random - *least);
}

// Everything of one sample, the whole or a part of it.
struct Statistics {
  OwnCost own;
  double optimal = 0, bound = 0, random = 0;
  std::optional<double> corrected, gap, exchange, ring;
};

Statistics statistics_of(const MapCosts& costs, const SampleUnits& x, const SampleUnits& y,
                         std::int64_t splits, Rng& rng) {
  Statistics out;
  out.own = own_cost(costs.own);
  const ExactTransport plan = exact_transport(costs.between);
  out.optimal = plan.cost;
  out.bound = plan.bound;
  out.random = costs.between.mean().item<double>();
  double sum = 0;
  for (std::int64_t k = 0; k < splits; ++k) {
    const std::optional<double> once = corrected_once(costs, x, y, rng);
    if (!once) break;
    sum += *once;
    out.corrected = sum / static_cast<double>(k + 1);
  }
  out.gap = gap_of(out.own.cost, out.corrected, out.random);
  out.exchange = exchange_share(costs.own);
  out.ring = ring_share(costs.own, kTriples, rng);
  return out;
}

Statistics statistics_of_part(const MapCosts& costs, const SampleUnits& x, const SampleUnits& y,
                              const Places& rows, const Places& columns, Rng& rng) {
  const MapCosts part{costs_at(costs.own, rows, rows), costs_at(costs.between, rows, columns),
                      costs_at(costs.from, rows, rows), costs_at(costs.to, columns, columns)};
  return statistics_of(part, x.among(rows), y.among(columns), 1, rng);
}

MetricInterval no_interval(const std::string& why) { return {std::nullopt, std::nullopt, "", why}; }

// Of the spread of a statistic over random halves.
MetricInterval interval_of_halves(double value, const std::vector<double>& halves, std::int64_t units) {
  const auto count = static_cast<double>(halves.size());
  double mean = 0, squares = 0;
  for (const double half : halves) mean += half / count;
  for (const double half : halves) squares += (half - mean) * (half - mean) / (count - 1);
  const double error = std::sqrt(squares), wide = student_t(static_cast<double>(units - 1)) * error;
  if (!std::isfinite(error)) return no_interval("parts of the sample have no finite value");
  return {Interval{value - wide, value + wide}, error, "delete-half jackknife", ""};
}

// The intervals of all statistics from the same subsamples.
class HalfSamples {
 public:
  HalfSamples(std::vector<Statistics> halves, std::int64_t units)
      : halves_(std::move(halves)), units_(units) {}

  template <class Read>
  TransportNumber number(const Statistics& whole, const Read& read, const std::string& no_value = "") const {
    const std::optional<double> value = read(whole);
    if (!value) return {std::nullopt, no_value, no_interval(no_value)};
    std::vector<double> values;
    for (const Statistics& half : halves_) {
      if (const std::optional<double> one = read(half)) values.push_back(*one);
    }
    return {value, "", uncertainty(*value, values)};
  }

 private:
  MetricInterval uncertainty(double value, const std::vector<double>& values) const {
    if (halves_.empty()) return no_interval_asked();
    if (units_ < kLeastGroups)
      return no_interval(fmt::format("{} groups of images in a set; {} are the least", units_, kLeastGroups));
    if (std::ssize(values) < kLeastSubsamples || values.size() < halves_.size())
      return no_interval(fmt::format("{} of {} subsamples have a value", values.size(), halves_.size()));
    return interval_of_halves(value, values, units_);
  }

  std::vector<Statistics> halves_;
  std::int64_t units_;
};

void keep_above(TransportNumber& number, double least) {
  if (auto& interval = number.uncertainty.interval) interval->low = std::max(least, interval->low);
}

void keep_below(TransportNumber& number, double most) {
  if (auto& interval = number.uncertainty.interval) interval->high = std::min(most, interval->high);
}

OwnAtSize mean_of_sizes(const std::vector<OwnCost>& parts, std::int64_t images) {
  OwnAtSize out{images, 0, 0};
  for (const OwnCost& part : parts) {
    out.own += part.own / static_cast<double>(parts.size());
    out.shuffled += part.shuffled / static_cast<double>(parts.size());
  }
  return out;
}

}  // namespace

OwnCost own_cost(const at::Tensor& costs) {
  const std::int64_t n = costs.size(0);
  const Assignment matched = exact_assignment(costs);
  OwnCost out;
  out.cost = costs.diagonal().mean().item<double>();
  out.best = std::min(matched.cost, out.cost);  // the map is a matching too
  out.bound = matched.bound;
  out.own = ratio_of_costs(out.cost, out.best);
  const double others =
      n < 2 ? out.cost
            : (costs.sum() - costs.diagonal().sum()).item<double>() / static_cast<double>(n * (n - 1));
  out.shuffled = ratio_of_costs(others, out.best);
  return out;
}

std::optional<double> exchange_share(const at::Tensor& costs) {
  const std::int64_t n = costs.size(0);
  if (n < 2) return std::nullopt;
  const at::Tensor kept = costs.diagonal().unsqueeze(1) + costs.diagonal().unsqueeze(0);
  const at::Tensor cheaper = costs + costs.t() < kept * (1 - kTie);
  const auto count = cheaper.sum().item<std::int64_t>();  // each pair twice, none on the diagonal
  return static_cast<double>(count) / static_cast<double>(n * (n - 1));
}

std::optional<double> ring_share(const at::Tensor& costs, std::int64_t triples, Rng& rng) {
  const std::int64_t n = costs.size(0);
  if (n < 3) return std::nullopt;
  const auto c = costs.accessor<double, 2>();
  std::int64_t violated = 0;
  for (std::int64_t k = 0; k < triples; ++k) {
    const std::int64_t i = rng.index(n), one = rng.index(n - 1), two = rng.index(n - 2);
    const std::int64_t j = one < i ? one : one + 1, low = std::min(i, j), high = std::max(i, j);
    std::int64_t l = two < low ? two : two + 1;
    if (l >= high) ++l;
    const double kept = c[i][i] + c[j][j] + c[l][l];
    if (std::min(c[i][j] + c[j][l] + c[l][i], c[j][i] + c[l][j] + c[i][l]) < kept * (1 - kTie)) ++violated;
  }
  return static_cast<double>(violated) / static_cast<double>(triples);
}

Json TransportNumber::json() const {
  Json out = {{"value", value ? json_number(*value) : Json(nullptr)}, {"interval", nullptr}};
  if (!value) {
    out["no_value"] = no_value;
    return out;
  }
  if (const auto& found = uncertainty.interval)
    out["interval"] = {json_number(found->low), json_number(found->high)};
  else
    out["no_interval"] = uncertainty.none;
  return out;
}

MapTransport map_transport(const MapCosts& costs, const SampleUnits& x, const SampleUnits& y,
                           const MapOptions& options, const MapProgress& progress) {
  Rng rng(derive_seed(options.seed, "transport"));
  const Statistics whole = statistics_of(costs, x, y, options.splits, rng);
  std::vector<Statistics> halves;
  std::vector<OwnCost> half_own, quarter_own;
  std::int64_t half_images = 0, quarter_images = 0;
  const std::int64_t rounds = options.subsamples > 0 ? options.subsamples : kLeastSubsamples;
  for (std::int64_t k = 0; k < rounds; ++k) {
    const Places rows = x.part(0.5, rng), few = x.part(0.25, rng);
    quarter_own.push_back(own_cost(costs_at(costs.own, few, few)));
    quarter_images += std::ssize(few);
    half_images += std::ssize(rows);
    if (options.subsamples > 0) {
      halves.push_back(statistics_of_part(costs, x, y, rows, y.part(0.5, rng), rng));
      half_own.push_back(halves.back().own);
    } else {
      half_own.push_back(own_cost(costs_at(costs.own, rows, rows)));
    }
    if (progress) progress(k + 1, rounds);
  }
  const HalfSamples samples(std::move(halves), std::min(x.units(), y.units()));
  const std::string no_halves = "a set of one group has no halves",
                    no_gap = "the corrected optimum is not known to be below the cost of random pairs";
  MapTransport out;
  using S = Statistics;
  const auto always = [](double value) { return std::optional<double>(value); };
  out.cost = samples.number(whole, [&](const S& s) { return always(s.own.cost); });
  out.own = samples.number(whole, [&](const S& s) { return always(s.own.own); });
  out.optimal = samples.number(whole, [&](const S& s) { return always(s.optimal); });
  out.random = samples.number(whole, [&](const S& s) { return always(s.random); });
  out.corrected = samples.number(
      whole, [](const S& s) { return s.corrected; }, no_halves);
  out.gap = samples.number(
      whole, [](const S& s) { return s.gap; }, no_gap);
  out.exchange = samples.number(
      whole, [](const S& s) { return s.exchange; }, "one image has no pair");
  out.ring = samples.number(
      whole, [](const S& s) { return s.ring; }, "two images have no triple");
  keep_above(out.cost, 0);
  keep_above(out.own, 1);
  keep_above(out.optimal, 0);
  keep_above(out.random, 0);
  for (TransportNumber* share : {&out.exchange, &out.ring}) {
    keep_above(*share, 0);
    keep_below(*share, 1);
  }
  out.own_bound = whole.own.bound;
  out.optimal_bound = whole.bound;
  out.half = std::min(x.images(), y.images()) / 2;
  out.sizes = {mean_of_sizes(quarter_own, quarter_images / rounds),
               mean_of_sizes(half_own, half_images / rounds),
               {x.images(), whole.own.own, whole.own.shuffled}};
  return out;
}

TransportNumber mean_over_images(const std::vector<double>& values, const SampleUnits& units) {
  double sum = 0;
  for (const double value : values) sum += value / static_cast<double>(values.size());
  TransportNumber out{sum, "", {}};
  if (units.units() < kLeastGroups) {
    out.uncertainty = no_interval(
        fmt::format("{} groups of images in a set; {} are the least", units.units(), kLeastGroups));
    return out;
  }
  const MeanInterval means = mean_interval(units.means(values));
  const double shift = sum - means.mean;  // groups of unequal sizes
  out.uncertainty = {Interval{means.interval.low + shift, means.interval.high + shift}, std::nullopt,
                     "Student's t over groups", ""};
  return out;
}

}  // namespace torsor
