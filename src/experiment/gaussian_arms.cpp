#include "experiment/gaussian_arms.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "experiment/reproduction.h"

namespace torsor {

namespace {

constexpr std::int64_t kAngles = 64;  // of the quadrature
constexpr std::int64_t kFrames = 40;

double degrees(double radians) { return radians * 180 / std::numbers::pi; }

// The difference of two angles, folded to [0, 180].
double angle_between(double a, double b) {
  const double d = std::abs(std::remainder(a - b, 2 * std::numbers::pi));
  return degrees(d);
}

ExactModel::Losses losses_of(const GaussianArm& arm) {
  return [arm, x = plane_gaussian(), q = circle_quadrature(kAngles)](const ExactParameters& p) {
    const AffineMaps g = linear_maps(p.at("g")), f = linear_maps(p.at("f"));
    const auto norm = [&](const AffineMaps& maps, const PlaneGaussian& over) {
      return expected_norm(displacement(maps), over, q, arm.norm);
    };
    ExactLosses losses = {{"kl_b", kl_push_forward(g, x, arm.y)},
                          {"kl_a", kl_push_forward(f, arm.y, x)},
                          {"cycle_a", kGaussianAlphaCycle * norm(composed(f, g), x)},
                          {"cycle_b", kGaussianAlphaCycle * norm(composed(g, f), arm.y)}};
    if (arm.alpha_id > 0) {
      losses.emplace_back("idt_a", arm.alpha_id * norm(g, x));  // S0's form: G on its own input
      losses.emplace_back("idt_b", arm.alpha_id * norm(f, arm.y));
    }
    return losses;
  };
}

at::Tensor sum_of(const ExactLosses& losses) {
  at::Tensor total;
  for (const auto& [name, values] : losses) total = total.defined() ? total + values : values.clone();
  return total;
}

// G relative to one solution: root_y^-1 G, which is in O(2) exactly at the solutions.
at::Tensor relative(const GaussianArm& arm, const at::Tensor& g) {
  const at::Tensor whiten = at::linalg_inv(arm.y.root);
  return at::matmul(whiten, g);
}

// The run's point on (or off) O(2): its larger part.
struct Polar {
  bool rotation = true;
  double x = 0, y = 0;
  double angle() const { return std::atan2(y, x); }
};

std::vector<Polar> polar_of(const at::Tensor& relative_g) {
  const PlaneParts parts = plane_parts(relative_g);
  const at::Tensor table = at::cat({parts.rotation, parts.reflection}, -1).contiguous();
  const double* v = table.data_ptr<double>();
  std::vector<Polar> out;
  for (std::int64_t i = 0; i < table.size(0); ++i, v += 4) {
    const bool rotation = std::hypot(v[0], v[1]) >= std::hypot(v[2], v[3]);
    out.push_back(rotation ? Polar{true, v[0], v[1]} : Polar{false, v[2], v[3]});
  }
  return out;
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

// [[rotation?, x, y], ...] of every run.
Json frame_json(const std::vector<Polar>& points) {
  Json out = Json::array();
  for (const Polar& p : points) out.push_back({p.rotation ? 1 : 0, rounded(p.x), rounded(p.y)});
  return out;
}

}  // namespace

std::vector<GaussianArm> gaussian_arms() {
  const PlaneGaussian unit = plane_gaussian(), other = plane_gaussian(0, 0, 2, 0.5, std::numbers::pi / 6);
  return {{"equal", "X = Y, no identity term", unit},
          {"unequal", "Y = N(0, S), no identity term", other},
          {"opposite", "X = Y, det F < 0 < det G or the other way at the start", unit, 0, "l2", true},
          {"identity", "X = Y, with the identity term", unit, kGaussianAlphaIdentity},
          {"identity_l1", "X = Y, with the identity term, all norms L1", unit, kGaussianAlphaIdentity, "l1"}};
}

// Swapping the rows of a matrix of independent normals gives another such, of the other sign.
ExactParameters gaussian_starts(const GaussianArm& arm, std::int64_t runs, Rng& rng) {
  const at::Tensor g = random_matrices(runs, rng);
  at::Tensor f = random_matrices(runs, rng);
  const at::Tensor same = (plane_det(g) * plane_det(f) > 0).view({-1, 1, 1});
  f = at::where(arm.opposite_signs ? ~same : same, f, f.flip({1}));
  return {{"g", g}, {"f", f}};
}

GaussianArmResult run_gaussian_arm(const GaussianArm& arm, const ExactParameters& start, std::int64_t steps,
                                   const StopFlag& stop) {
  OptimizerOptions optimizer;
  optimizer.lr = kGaussianRate;
  optimizer.beta1 = 0.9;
  ExactModel model(start, losses_of(arm), optimizer);
  Json frames = Json::array();
  train_exact(
      model, {steps, "cosine", std::max<std::int64_t>(1, steps / kFrames)}, stop,
      [&](std::int64_t step, const ExactParameters& now) {
        frames.push_back({{"step", step}, {"points", frame_json(polar_of(relative(arm, now.at("g"))))}});
      });
  check_stop(stop);
  const ExactParameters end = model.parameters();
  const at::Tensor loss = sum_of(model.losses());
  const at::Tensor g = relative(arm, end.at("g"));
  const at::Tensor off = (at::matmul(g, g.transpose(-1, -2)) - at::eye(2, g.options())).abs().amax({-2, -1});
  const std::vector<Polar> before = polar_of(relative(arm, start.at("g"))), after = polar_of(g);
  Json runs = Json::array();
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto k = static_cast<std::int64_t>(i);
    runs.push_back({{"rotation", after[i].rotation},
                    {"start", degrees(before[i].angle())},
                    {"end", degrees(after[i].angle())},
                    {"moved", angle_between(before[i].angle(), after[i].angle())},
                    {"off_group", off[k].item<double>()},
                    {"loss", loss[k].item<double>()}});
  }
  return {{{"name", arm.name},
           {"what", arm.what},
           {"alpha_id", arm.alpha_id},
           {"runs", runs},
           {"frames", frames}},
          end};
}

// Loss of the pair moved along O(2), from the exact solution G = root_y, without and with the identity term.
Json gaussian_orbit(const GaussianArm& arm) {
  const std::int64_t n = 73;
  const at::Tensor angles = at::linspace(-std::numbers::pi, std::numbers::pi, n, at::kDouble);
  Json out = {{"angle", Json::array()}};
  for (std::int64_t i = 0; i < n; ++i) out["angle"].push_back(degrees(angles[i].item<double>()));
  for (const bool rotation : {true, false})
    for (const double alpha : {0.0, kGaussianAlphaIdentity}) {
      GaussianArm with = arm;
      with.alpha_id = alpha;
      const at::Tensor group = rotation ? rotations(angles) : reflections(angles);
      const at::Tensor g = at::matmul(arm.y.root, group);
      const at::Tensor loss = sum_of(losses_of(with)({{"g", g}, {"f", at::linalg_inv(g)}}));
      Json values = Json::array();
      for (std::int64_t i = 0; i < n; ++i) values.push_back(loss[i].item<double>());
      out[fmt::format("{}{}", rotation ? "rotations" : "reflections", alpha > 0 ? "_identity" : "")] = values;
    }
  return out;
}

}  // namespace torsor
