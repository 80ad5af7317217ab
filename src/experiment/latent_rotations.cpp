// S0-C9, Proposition 2.6: rotations of a latent space are automorphisms of the data it generates.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "experiment/experiments.h"
#include "metric/statistics.h"
#include "metric/two_sample.h"
#include "theory/coupling_flow.h"

namespace torsor {

namespace {

constexpr std::int64_t kLatent = 8, kData = 12;  // n and m
constexpr double kLevel = 0.05;
constexpr double kAlternative = 0.3;  // shift of every latent coordinate that the test must notice
constexpr double kMinPower = 0.8, kMinDisplacement = 0.5;

// f(z) = (flow(z), sin(W z)): the graph of a smooth map over a diffeomorphism, so an embedding of R^8 in
// R^12.
class LatentModel {
 public:
  explicit LatentModel(Rng& rng)
      : flow_(kLatent, rng),
        extra_(random_normal(kLatent, kData - kLatent, rng) / std::sqrt(double(kLatent))) {}
  at::Tensor forward(const at::Tensor& z) const {
    return at::cat({flow_.forward(z), at::sin(at::matmul(z, extra_))}, 1);
  }
  at::Tensor inverse(const at::Tensor& x) const { return flow_.inverse(x.narrow(1, 0, kLatent)); }

 private:
  CouplingFlow flow_;
  at::Tensor extra_;
};

double mean_distance(const at::Tensor& a, const at::Tensor& b) {
  return at::linalg_vector_norm(a - b, 2, {1}).mean().item<double>();
}

Interval interval_of(const Json& share) {
  return share_interval(json_count(share.at("rejected")), json_count(share.at("tests")));
}

double share_of(const Json& share) {
  return share.at("rejected").get<double>() / share.at("tests").get<double>();
}

std::string share_text(const Json& share) {
  const Interval i = interval_of(share);
  return fmt::format("{:.1f} % ({:.1f} to {:.1f} %)", 100 * share_of(share), 100 * i.low, 100 * i.high);
}

class LatentRotations : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C9",
        .title = "latent rotations are smooth automorphisms (Prop. 2.6)",
        .plain =
            "Where data are made from random numbers, turning these numbers gives other data: "
            "this page tests whether the two collections can be told apart, though every single "
            "item has changed.",
        .claim =
            "If the data are X = f(Z) for Z a standard normal and f an embedding (an invertible generative "
            "model), then for every rotation T of the latent space phi = f o T o f^-1 maps the data onto "
            "themselves: the same distribution, other images.",
        .rule = fmt::format(
            "A two-sample test at {:.0f} % (energy distance, permutations) compares X with phi(X), one "
            "random model and rotation each. agrees: it rejects in a share whose 95 % interval reaches "
            "down to {:.0f} %, notices a latent shift of {} in a share of {:.0f} % or more (lower end of "
            "the interval), and phi moves points by {:.0f} % or more of the distance between unrelated "
            "ones. disagrees: the share of rejections is above {:.0f} % (interval), or phi moves less. "
            "cannot tell: a test that would not notice the shift.",
            100 * kLevel, 100 * kLevel, kAlternative, 100 * kMinPower, 100 * kMinDisplacement, 100 * kLevel),
        .takes = {"4 s", "30 s", "3 min"},
        .seeds = {"0", "0", "0-4"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"f",
             fmt::format("two affine couplings with random weights on R^{}, and {} sines beside them: R^{}",
                         kLatent, kData - kLatent, kData),
             "the paper names RealNVP and Glow"},
            {"T", fmt::format("uniform on SO({})", kLatent), "every rotation"},
            {"samples",
             fmt::format("{} of X and {} others of phi(X) a test, {} permutations", samples(scale),
                         samples(scale), kPermutations),
             "any will do"},
            {"models and rotations a seed", std::to_string(rounds(scale)), "any will do"},
            {"phi", "computed on data by inverting f", "the paper's formula"}};
  }

  Json measure(const Request& request) const override {
    Json rotated = Json::array(), same = Json::array(), shifted = Json::array(), displacement = Json::array();
    double worst = 0;
    for (const std::uint64_t seed : request.seeds) {
      RngStreams streams(seed);
      Rng& rng = streams["latent_rotations"];
      for (std::int64_t i = 0; i < rounds(request.scale); ++i) {
        check_stop(request.stop);
        const LatentModel f(rng);
        const at::Tensor t = random_rotation(kLatent, rng);
        const auto draw = [&] { return random_normal(samples(request.scale), kLatent, rng); };
        const at::Tensor z = draw(), x = f.forward(draw()), y = f.forward(z);
        const at::Tensor phi_y = f.forward(at::matmul(f.inverse(y), t));
        const auto p = [&](const at::Tensor& other) { return energy_test(x, other, kPermutations, rng).p; };
        rotated.push_back(p(phi_y));
        same.push_back(p(y));
        shifted.push_back(p(f.forward(z + kAlternative)));
        displacement.push_back(mean_distance(phi_y, y) / mean_distance(x, y));
        worst = std::max(worst, mean_distance(f.forward(at::matmul(f.inverse(phi_y), t.t())), y));
      }
    }
    return {{"p_rotated", rotated},     {"p_same", same},
            {"p_shifted", shifted},     {"displacement", displacement},
            {"inverse_error", worst},   {"rotated", rejections(rotated)},
            {"same", rejections(same)}, {"shifted", rejections(shifted)}};
  }

  Finding judge(const Json& r) const override {
    const MeanInterval moved = mean_interval(r.at("displacement").get<std::vector<double>>());
    const std::string numbers = fmt::format(
        "the test rejects {} of the rotations and notices the shift in {}; phi moves points by {} of the "
        "distance between unrelated ones",
        share_text(r.at("rotated")), share_text(r.at("shifted")), interval_text(moved.mean, moved.interval));
    if (interval_of(r.at("shifted")).low < kMinPower) return {Verdict::cannot_tell, numbers};
    if (interval_of(r.at("rotated")).low > kLevel || moved.mean < kMinDisplacement)
      return {Verdict::disagrees, numbers};
    return {Verdict::agrees, numbers};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    page.html().table({{"phi(X) against X", "rejected at 5 %"},
                       {{"phi from a rotation", share_text(r.at("rotated"))},
                        {"no phi: two samples of X", share_text(r.at("same"))},
                        {fmt::format("latent shifted by {} (the test's power)", kAlternative),
                         share_text(r.at("shifted"))}},
                       "Share of tests that tell the samples apart, with 95 % intervals (Wilson)"});
    LineChart chart{"p values",
                    {"p", AxisScale::linear, 0, 1},
                    {"share of tests up to there", AxisScale::linear, 0, 1},
                    {}};
    for (const auto& [key, label] : {std::pair{"p_rotated", "rotated"}, std::pair{"p_same", "the same"},
                                     std::pair{"p_shifted", "shifted"}})
      chart.series.push_back(cumulative(label, r.at(key)));
    page.drawing(
        "p-values", draw(chart),
        "Where the distributions are equal the curve is the diagonal; where they differ it rises at once");
    const MeanInterval moved = mean_interval(r.at("displacement").get<std::vector<double>>());
    page.html().paragraph(
        fmt::format("E |phi(x) - x| over the distance of unrelated points: {}. phi undone by the inverse "
                    "rotation: {:.1e} from the start at most.",
                    interval_text(moved.mean, moved.interval), r.at("inverse_error").get<double>()));
  }

 private:
  static constexpr std::int64_t kPermutations = 199;
  static std::int64_t rounds(Scale scale) { return scale == Scale::smoke ? 40 : 200; }
  static std::int64_t samples(Scale scale) { return scale == Scale::smoke ? 200 : 300; }

  static Json rejections(const Json& p_values) {
    std::int64_t rejected = 0;
    for (const Json& p : p_values) rejected += p.get<double>() <= kLevel;
    return {{"rejected", rejected}, {"tests", p_values.size()}};
  }

  static Series cumulative(const char* label, const Json& p_values) {
    std::vector<double> sorted = p_values;
    std::sort(sorted.begin(), sorted.end());
    Series s{label, {0}, {0}};
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      s.x.push_back(sorted[i]);
      s.y.push_back(static_cast<double>(i + 1) / static_cast<double>(sorted.size()));
    }
    return s;
  }
};

}  // namespace

std::shared_ptr<const Experiment> latent_rotations() { return std::make_shared<LatentRotations>(); }

}  // namespace torsor
