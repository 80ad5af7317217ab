// S0-C5, Corollary 2.1: the bound in the limit of vanishing pure loss, and what it says in practice.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "experiment/experiments.h"
#include "theory/gaussian_plane.h"

namespace torsor {

namespace {

constexpr double kAlpha = 10;             // of cycle and identity term
constexpr std::int64_t kHalvings = 18;    // of the distance from the solution
constexpr double kVanished = 1e-2;        // pure loss at the end
constexpr double kBoundSlack = 2e-3;      // relative: quadrature and the distance that is left
constexpr double kPracticalGrowth = 0.1;  // relative growth of the loss that counts as hardly any
constexpr double kMuchLarger = 20;        // "L_id much larger than the displacement"

/// One limit: a space, its automorphism, and a solution that is approached.
struct AsymptoticCase {
  PlaneGaussian x, y;
  AffineMaps phi, g, noise;
};

double number(const at::Tensor& one) { return one.item<double>(); }

AffineMaps random_affine(Rng& rng) {
  return {random_matrices(1, rng), at::tensor({rng.normal(), rng.normal()}, at::kDouble).unsqueeze(0)};
}

PlaneGaussian random_gaussian(Rng& rng, double distance) {
  const double towards = rng.uniform(0, 2 * std::numbers::pi);
  return plane_gaussian(distance * std::cos(towards), distance * std::sin(towards), rng.uniform(0.5, 2),
                        rng.uniform(0.5, 2), rng.uniform(0, std::numbers::pi));
}

AsymptoticCase random_case(Rng& rng) {
  const double scale = rng.uniform(0.5, 2);
  const PlaneGaussian x = rng.coin() ? random_gaussian(rng, 0) : plane_gaussian(0, 0, scale, scale);
  const PlaneGaussian y = random_gaussian(rng, std::exp(rng.uniform(-1, 3.5)));
  const at::Tensor turn = at::tensor({rng.uniform(-std::numbers::pi, std::numbers::pi)}, at::kDouble);
  const at::Tensor orthogonal = rng.coin() ? rotations(turn) : reflections(turn);
  const at::Tensor matrix =
      at::matmul(at::matmul(y.root, rotations(turn * rng.uniform())), at::linalg_inv(x.root));
  const AffineMaps g{matrix, y.mean - at::matmul(matrix, x.mean.unsqueeze(-1)).squeeze(-1)};
  return {x, y, gaussian_automorphism(x, orthogonal), g, random_affine(rng)};
}

// The solution with a part of the noise added to both maps.
std::pair<AffineMaps, AffineMaps> near_solution(const AsymptoticCase& c, double part) {
  const AffineMaps f = inverse(c.g);
  return {{c.g.matrix + part * c.noise.matrix, c.g.shift + part * c.noise.shift},
          {f.matrix - part * c.noise.matrix.transpose(-1, -2), f.shift + part * c.noise.shift}};
}

struct PureAndIdentity {
  double pure = 0, identity = 0;
  double total() const { return pure + kAlpha * identity; }
};

PureAndIdentity losses(const AsymptoticCase& c, const AffineMaps& g, const AffineMaps& f,
                       const Quadrature& q) {
  const auto norm = [&](const AffineMaps& maps, const PlaneGaussian& over) {
    return number(expected_norm(displacement(maps), over, q));
  };
  return {number(kl_push_forward(g, c.x, c.y)) + number(kl_push_forward(f, c.y, c.x)) +
              kAlpha * (norm(composed(f, g), c.x) + norm(composed(g, f), c.y)),
          norm(g, c.x) + norm(f, c.y)};
}

Json measure_case(const AsymptoticCase& c, const Quadrature& q) {
  const AffineMaps back = inverse(c.phi);
  // Of a linear map: its largest singular value.
  const PlaneParts parts = plane_parts(back.matrix);
  const double lipschitz = number(at::linalg_vector_norm(parts.rotation, 2, {-1}) +
                                  at::linalg_vector_norm(parts.reflection, 2, {-1}));
  const double displaced = number(expected_norm(displacement(c.phi), c.x, q));
  Json out = {{"lipschitz", lipschitz},
              {"displacement", displaced},
              {"pure", Json::array()},
              {"moved", Json::array()}};
  PureAndIdentity last;
  for (std::int64_t i = 0; i <= kHalvings; ++i) {
    const auto [g, f] = near_solution(c, 0.25 * std::pow(0.5, i));
    last = losses(c, g, f, q);
    out["pure"].push_back(last.pure);
    out["moved"].push_back(losses(c, composed(g, c.phi), composed(back, f), q).total());
  }
  out["identity"] = last.identity;  // L_id
  out["loss"] = last.total();
  out["bound"] = std::max(lipschitz, 1.0) * kAlpha * last.identity + 2 * kAlpha * displaced;
  return out;
}

double last_of(const Json& values) { return values.at(values.size() - 1); }

class AsymptoticBound : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C5",
        .title = "the bound in the limit of zero pure loss (Cor. 2.1)",
        .plain =
            "One term of the training's score, the identity term, is there to keep a translator "
            "from exchanging things at will: the second figure shows how much of an exchange it "
            "notices, the farther apart the two kinds of data are.",
        .claim =
            "For translators whose pure loss goes to zero and whose identity term tends to L_id: limsup "
            "L_ext(G_i o phi, phi^-1 o F_i) <= max(C, 1) alpha_id L_id + 2 alpha_id E_X |phi(x) - x|. So "
            "where L_id is much larger than the displacement of phi, the identity term does not remove the "
            "ambiguity.",
        .rule = fmt::format("agrees: in every random case the pure loss falls under {}, the moved loss ends "
                            "within {} of the bound or below it, and of the isometric phi (C = 1) with "
                            "L_id at least {:.0f} times their displacement none raises the loss by more "
                            "than {:.0f} %. disagrees: a case above the bound, or such a phi that raises "
                            "it more. cannot tell: a pure loss that does not vanish, or no such phi.",
                            kVanished, kBoundSlack, kMuchLarger, 100 * kPracticalGrowth),
        .takes = {"3 s", "20 s", "2 min"},
        .seeds = {"0", "0-4", "0-19"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {
        {"X, Y",
         "Gaussians in the plane, random covariances (X's a multiple of I in half of the cases), means 0.4 "
         "to 33 apart",
         "the corollary is for all; here losses have closed forms"},
        {"phi", "root R root^-1 for a random rotation or reflection R, an automorphism of X", "any will do"},
        {"G_i, F_i", fmt::format("an exact solution plus noise, halved {} times", kHalvings),
         "any such sequence"},
        {"loss", fmt::format("Kullback-Leibler; Euclidean norm; alpha_cyc = alpha_id = {}", kAlpha),
         "any will do"},
        {"cases a seed", std::to_string(cases(scale)), "any will do"}};
  }

  Json measure(const Request& request) const override {
    const Quadrature q = plane_quadrature(64, 64);
    Json all = Json::array();
    for (const std::uint64_t seed : request.seeds) {
      RngStreams rng(seed);
      for (std::int64_t i = 0; i < cases(request.scale); ++i) {
        check_stop(request.stop);
        all.push_back(measure_case(random_case(rng["cases"]), q));
      }
    }
    return {{"cases", all}};
  }

  Finding judge(const Json& r) const override {
    double largest = 0, pure = 0, growth = 0;
    std::int64_t practical = 0;
    for (const Json& c : r.at("cases")) {
      const double moved = last_of(c.at("moved"));
      pure = std::max(pure, last_of(c.at("pure")));
      largest = std::max(largest, moved / c.at("bound").get<double>());
      if (!is_practical(c)) continue;
      ++practical;
      growth = std::max(growth, moved / c.at("loss").get<double>() - 1);
    }
    if (pure > kVanished)
      return {Verdict::cannot_tell, fmt::format("the pure loss fell to {:.2g} only", pure)};
    if (largest > 1 + kBoundSlack)
      return {Verdict::disagrees, fmt::format("a moved loss ends at {:.4f} of its bound", largest)};
    if (practical == 0)
      return {Verdict::cannot_tell, "no isometric phi with L_id much larger than its displacement"};
    if (growth > kPracticalGrowth)
      return {Verdict::disagrees,
              fmt::format("with L_id much larger than the displacement the loss still grew by "
                          "{:.0f} %",
                          100 * growth)};
    return {
        Verdict::agrees,
        fmt::format(
            "in {} cases the moved loss ends at {:.3f} of the bound at most; of {} isometric phi with L_id "
            "much larger than their displacement none raises the loss by more than {:.1f} %",
            r.at("cases").size(), largest, practical, 100 * growth)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    LineChart fall{"The moved loss approaches its limit",
                   {"pure loss of (G_i, F_i)", AxisScale::log},
                   {"moved loss / bound of the limit"},
                   {}};
    Series isometric{"C = 1", {}, {}, Mark::points}, others{"C > 1", {}, {}, Mark::points};
    for (std::size_t k = 0; k < r.at("cases").size(); ++k) {
      const Json& c = r.at("cases")[k];
      const double bound = c.at("bound");
      if (k < 6) {
        Series s{"", {}, {}};
        for (std::size_t i = 0; i < c.at("pure").size(); ++i) {
          s.x.push_back(c.at("pure")[i]);
          s.y.push_back(c.at("moved")[i].get<double>() / bound);
        }
        fall.series.push_back(s);
      }
      Series& points = is_isometric(c) ? isometric : others;
      points.x.push_back(c.at("identity").get<double>() / c.at("displacement").get<double>());
      points.y.push_back(last_of(c.at("moved")) / c.at("loss").get<double>());
    }
    page.drawing("limit", draw(fall), "Six cases; the sequence runs to the left. No curve may end above 1.");
    LineChart practice{"How much the identity term resists",
                       {"L_id / displacement of phi", AxisScale::log},
                       {"loss after phi / before", AxisScale::log, 0.1, 10},
                       {isometric, others}};
    page.drawing("practice", draw(practice),
                 "Each point is one automorphism. To the right, where the domains differ much more than "
                 "phi moves, the identity term hardly notices phi: the loss stays what it was.");
  }

 private:
  static bool is_isometric(const Json& c) { return c.at("lipschitz").get<double>() < 1 + 1e-9; }
  static bool is_practical(const Json& c) {
    return is_isometric(c) &&
           c.at("identity").get<double>() >= kMuchLarger * c.at("displacement").get<double>();
  }
  static std::int64_t cases(Scale scale) { return scale == Scale::smoke ? 40 : 100; }
};

}  // namespace

std::shared_ptr<const Experiment> asymptotic_bound() { return std::make_shared<AsymptoticBound>(); }

}  // namespace torsor
