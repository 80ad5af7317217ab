// S2-C1: how many invertible transports there are between two distributions.
#include <ATen/ATen.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/shuffle.h"
#include "experiment/experiments.h"
#include "theory/coupling_flow.h"
#include "theory/finite_space.h"
#include "transport/closed_forms.h"

namespace torsor {

namespace {

using at::Tensor;

constexpr double kFamilyTolerance = 1e-9;
constexpr std::int64_t kGrid = 720720;  // midpoints of the interval: as many as 1 ... 16 divide

// Bijections between the atoms that carry one mass to the other: of all pairs of spaces with equal mass.
struct AtomCounts {
  std::int64_t pairs = 0, without = 0, most = 0;
};

std::int64_t transports(const FiniteSpace& x, const FiniteSpace& y) {
  if (x.size() != y.size()) return 0;
  const auto all = permutations(x.size());
  return std::count_if(all.begin(), all.end(),
                       [&](const FiniteMap& map) { return preserves_mass(map, x, y); });
}

AtomCounts count_atoms(Scale scale) {
  AtomCounts out;
  const auto spaces = all_spaces(scale == Scale::full ? 6 : 4, 3);
  const auto mass = [](const FiniteSpace& space) {
    std::int64_t sum = 0;
    for (const int m : space.masses) sum += m;
    return sum;
  };
  for (const FiniteSpace& x : spaces)
    for (const FiniteSpace& y : spaces) {
      if (mass(x) != mass(y)) continue;
      const std::int64_t found = transports(x, y);
      ++out.pairs;
      out.without += found == 0;
      out.most = std::max(out.most, found);
    }
  return out;
}

// Exchanges `pieces` equal pieces of the interval in this order: where the midpoints of a grid come to lie.
std::vector<std::int64_t> exchanged(const std::vector<std::int64_t>& order) {
  const std::int64_t length = kGrid / std::ssize(order);
  std::vector<std::int64_t> out;
  for (const std::int64_t piece : order)
    for (std::int64_t i = 0; i < length; ++i) out.push_back(piece * length + i);
  return out;
}

struct IntervalCounts {
  std::int64_t maps = 0, onto = 0;
};

// Random exchanges of 2 to 16 pieces; each is onto if it hits every midpoint once.
IntervalCounts count_exchanges(std::int64_t maps, Rng& rng) {
  IntervalCounts out;
  for (std::int64_t k = 0; k < maps; ++k) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(2 + rng.index(15)));
    std::iota(order.begin(), order.end(), 0);
    shuffle(order.begin(), std::ssize(order), rng);
    std::vector<bool> hit(static_cast<std::size_t>(kGrid));
    for (const std::int64_t place : exchanged(order)) hit[static_cast<std::size_t>(place)] = true;
    ++out.maps;
    out.onto += std::count(hit.begin(), hit.end(), true) == kGrid;
  }
  return out;
}

// T(x) = A R(turn * |x|^2 / 2) x + m of points of a standard normal: the rotation by an angle that depends on
// the radius keeps the normal, so that every `turn` is another transport to N(m, A A^T).
struct TwistedMap {
  Tensor matrix, mean;  // [2,2], [2]
  double turn = 0;

  static Tensor turned(const Tensor& x, double turn) {
    const Tensor angle = turn * x.square().sum(1) / 2;
    const Tensor c = at::cos(angle), s = at::sin(angle), a = x.select(1, 0), b = x.select(1, 1);
    return at::stack({c * a - s * b, s * a + c * b}, 1);
  }
  Tensor operator()(const Tensor& x) const { return at::matmul(turned(x, turn), matrix.t()) + mean; }
  Tensor back(const Tensor& y) const { return turned(at::linalg_solve(matrix, (y - mean).t()).t(), -turn); }
};

double log_normal(const Tensor& x, const Gaussian& g) {
  const Tensor off = (x - g.mean).view({2, 1});
  const double square = at::matmul(off.t(), at::linalg_solve(g.covariance, off)).item<double>();
  return -0.5 *
         (square + std::get<1>(at::linalg_slogdet(2 * std::numbers::pi * g.covariance)).item<double>());
}

// How far log p(x) - log |det DT(x)| - log q(T(x)) is from 0 at the worst of these points: T pushes p forward
// to q if and only if it is 0 everywhere.
double density_error(const TwistedMap& map, const Gaussian& p, const Gaussian& q, const Tensor& points) {
  double worst = 0;
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    const Tensor x = points.narrow(0, i, 1).detach().clone().requires_grad_();
    const Tensor y = map(x);
    std::vector<Tensor> rows;
    for (std::int64_t k = 0; k < 2; ++k)
      rows.push_back(torch::autograd::grad({y[0][k]}, {x}, {}, true)[0][0]);
    const double log_det = std::get<1>(at::linalg_slogdet(at::stack(rows))).item<double>();
    worst = std::max(worst, std::abs(log_normal(x.detach()[0], p) - log_det - log_normal(y.detach()[0], q)));
  }
  return worst;
}

double mean_cost(const Tensor& x, const Tensor& y) { return (x - y).square().sum(1).mean().item<double>(); }

// The family at so many turns from -3 to 3.
Json measure_family(std::int64_t maps, std::int64_t points, Rng& rng) {
  const Tensor x = random_normal(points, 2, rng);
  const Gaussian standard = {at::zeros({2}, at::kDouble), at::eye(2, at::kDouble)};
  const Tensor matrix = at::tensor({1.5, 0.4, 0.4, 0.7}, at::kDouble).view({2, 2}),
               mean = at::tensor({2.0, -1.0}, at::kDouble);
  const Gaussian target = {mean, at::matmul(matrix, matrix.t())};
  const Tensor optimal = gaussian_map(standard, target)(x);
  Json turns = Json::array(), costs = Json::array();
  double density = 0, inverse = 0, nearest = std::numeric_limits<double>::infinity();
  std::vector<Tensor> images;
  for (std::int64_t k = 0; k < maps; ++k) {
    const TwistedMap map = {matrix, mean, -3 + 6 * static_cast<double>(k) / static_cast<double>(maps - 1)};
    const Tensor y = map(x);
    density = std::max(density, density_error(map, standard, target, x.narrow(0, 0, 20)));
    inverse = std::max(inverse, (map.back(y) - x).abs().max().item<double>());
    for (const Tensor& other : images) nearest = std::min(nearest, mean_cost(y, other));
    images.push_back(y);
    turns.push_back(map.turn);
    costs.push_back(mean_cost(x, y));
  }
  return {{"turns", turns},           {"costs", costs},          {"density_error", density},
          {"inverse_error", inverse}, {"nearest_pair", nearest}, {"optimal_cost", mean_cost(x, optimal)}};
}

LineChart cost_chart(const Json& family) {
  LineChart chart;
  chart.title = "Cost of transports of one normal distribution to another";
  chart.x.label = "turn";
  chart.y.label = "mean squared distance";
  const auto turns = family.at("turns").get<std::vector<double>>();
  chart.series.push_back({"transports", turns, family.at("costs").get<std::vector<double>>()});
  chart.series.push_back({"the cheapest (Bures-Wasserstein)", turns,
                          std::vector<double>(turns.size(), family.at("optimal_cost").get<double>())});
  return chart;
}

class ManyTransports : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-C1",
        .title = "infinitely many invertible transports",
        .plain =
            "How many ways are there to turn one collection into another, one to one? Where the collection "
            "is "
            "continuous, as many as one likes; where it has a few items of weight, a few or none.",
        .claim = "For any two distributions there are infinitely many invertible T with T#alpha = beta.",
        .rule = fmt::format(
            "agrees: no pair of distributions tried has a finite number of invertible transports. disagrees: "
            "some "
            "pair has, while constructed families between distributions without atoms push forward (density "
            "and "
            "inverse to {}; interval exchanges exactly) and differ. cannot tell: the constructions fail.",
            kFamilyTolerance),
        .takes = {"2 s", "5 s", "20 s"},
        .seeds = {"0", "0", "0"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"with atoms",
             fmt::format("all pairs of spaces of up to {} atoms of masses 1 to 3 with equal mass",
                         scale == Scale::full ? 6 : 4),
             "every bijection can be tried"},
            {"on the interval", fmt::format("{} random exchanges of 2 to 16 equal pieces", exchanges(scale)),
             "each is its own inverse's kind, and of any number of pieces there are more"},
            {"in the plane",
             fmt::format("{} maps from a normal distribution to another that turn points by an angle "
                         "growing with their distance",
                         maps(scale)),
             "density is checked by automatic differentiation at 20 points each"}};
  }

  Json measure(const Request& request) const override {
    check_stop(request.stop);
    const AtomCounts atoms = count_atoms(request.scale);
    RngStreams streams(request.seeds.front());
    const IntervalCounts interval = count_exchanges(exchanges(request.scale), streams["interval"]);
    return {{"pairs", atoms.pairs},
            {"without", atoms.without},
            {"most", atoms.most},
            {"exchanges", interval.maps},
            {"exchanges_onto", interval.onto},
            {"family", measure_family(maps(request.scale), 2000, streams["plane"])}};
  }

  Finding judge(const Json& r) const override {
    const Json& f = r.at("family");
    const double worst = std::max(f.at("density_error").get<double>(), f.at("inverse_error").get<double>());
    if (!(worst <= kFamilyTolerance) || !(f.at("nearest_pair").get<double>() > 0) ||
        r.at("exchanges_onto") != r.at("exchanges"))
      return {Verdict::cannot_tell,
              fmt::format("the constructed maps are no transports: an error of {:.1e}", worst)};
    const std::string family =
        fmt::format("without atoms, {} constructed maps push forward to {:.0e} and no two are alike",
                    f.at("turns").size(), worst);
    if (r.at("pairs").get<std::int64_t>() == 0) return {Verdict::agrees, family};
    return {
        Verdict::disagrees,
        fmt::format("of {} pairs with atoms {} have no invertible transport and none has more than {}; {}",
                    r.at("pairs").dump(), r.at("without").dump(), r.at("most").dump(), family)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    const Json& f = r.at("family");
    const auto small = [&](const char* key) { return fmt::format("{:.1e}", f.at(key).get<double>()); };
    page.html().table(
        {{"", "found"},
         {{"pairs of distributions with atoms", r.at("pairs").dump()},
          {"of these without an invertible transport", r.at("without").dump()},
          {"most invertible transports of a pair", r.at("most").dump()},
          {"exchanges of the interval's pieces that hit every point once",
           r.at("exchanges_onto").dump() + " of " + r.at("exchanges").dump()},
          {"maps of the plane: largest error of the density", small("density_error")},
          {"largest error of the way back", small("inverse_error")},
          {"least mean squared distance of two of them", small("nearest_pair")}},
         "The statement needs distributions without atoms; any two of these on a standard space "
         "are isomorphic to the interval, which has as many exchanges as one likes."});
    page.drawing(
        "costs", draw(cost_chart(f)),
        "Every map of the family is a transport; only the cheapest is singled out by a cost (S2-C2). The "
        "map without a turn is that one, since its matrix is symmetric and positive.");
  }

 private:
  static std::int64_t maps(Scale scale) { return scale == Scale::smoke ? 7 : 61; }
  static std::int64_t exchanges(Scale scale) { return scale == Scale::smoke ? 5 : 100; }
};

}  // namespace

std::shared_ptr<const Experiment> many_transports() { return std::make_shared<ManyTransports>(); }

}  // namespace torsor
