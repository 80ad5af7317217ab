// S0-C6, Lemma 2.2: an isomorphism carries automorphisms over.
#include <ATen/ATen.h>
#include <torch/autograd.h>

#include <algorithm>
#include <set>

#include "experiment/experiments.h"
#include "theory/coupling_flow.h"
#include "theory/finite_space.h"

namespace torsor {

namespace {

constexpr double kSmoothTolerance = 1e-6;

struct TransferCounts {
  std::int64_t isomorphisms = 0, transferred = 0, automorphisms = 0, commuting = 0, whole_group = 0,
               products = 0, products_kept = 0, others = 0, others_automorphisms = 0;
};

// Every isomorphism f: Z -> X, every automorphism T of Z, S = f T f^-1.
void count_transfer(const FiniteSpace& z, const FiniteSpace& x, TransferCounts& c) {
  const std::vector<FiniteMap> group = automorphisms(z);
  const auto moved = [](const FiniteMap& f, const FiniteMap& t) {
    return composed(f, composed(t, inverse(f)));
  };
  for (const FiniteMap& f : permutations(z.size())) {
    const bool isomorphism = preserves_mass(f, z, x);
    c.isomorphisms += isomorphism;
    std::set<FiniteMap> images;
    for (const FiniteMap& t : group) {
      const FiniteMap s = moved(f, t);
      if (!isomorphism) {  // the check that this test can fail
        ++c.others;
        c.others_automorphisms += preserves_mass(s, x, x);
        continue;
      }
      ++c.transferred;
      c.automorphisms += preserves_mass(s, x, x);
      c.commuting += composed(s, f) == composed(f, t);
      images.insert(s);
      for (const FiniteMap& other : group) {
        ++c.products;
        c.products_kept += moved(f, composed(t, other)) == composed(s, moved(f, other));
      }
    }
    if (isomorphism) c.whole_group += images.size() == automorphisms(x).size();
  }
}

// log |det DS(x)| by automatic differentiation, against the chain rule.
double jacobian_error(const CouplingFlow& f, const at::Tensor& t, const at::Tensor& z) {
  const at::Tensor x = f.forward(z).detach().requires_grad_();  // [1,d]
  const at::Tensor s = f.forward(at::matmul(f.inverse(x), t));
  std::vector<at::Tensor> rows;
  for (std::int64_t k = 0; k < s.size(1); ++k)
    rows.push_back(torch::autograd::grad({s[0][k]}, {x}, {}, true)[0][0]);
  const double found = std::get<1>(at::linalg_slogdet(at::stack(rows))).item<double>();
  const double expected = (f.log_det(at::matmul(z, t)) - f.log_det(z)).item<double>();
  return std::abs(found - expected);
}

class Transfer : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C6",
        .title = "isomorphisms carry automorphisms over (Lemma 2.2)",
        .plain =
            "Whatever can be exchanged unnoticed in one collection should be exchangeable in its "
            "translation too: this page counts that on every small case, and measures it on "
            "smooth random translations.",
        .claim =
            "For an isomorphism f: Z -> X and an automorphism T of Z, S = f o T o f^-1 is an automorphism "
            "of X with S o f = f o T; where f and T are diffeomorphisms, so is S.",
        .rule = fmt::format("agrees: on all small sets every S is an automorphism, commutes with f, respects "
                            "products, and every automorphism of X arises, while some maps f that are no "
                            "isomorphisms give an S that is none; and on random flows with rotations S o f "
                            "- f o T vanishes, S^-1 o S is the identity, and the Jacobian of S has the "
                            "determinant of the chain rule, all within {}. disagrees: one exception. "
                            "cannot tell: nothing to transfer.",
                            kSmoothTolerance),
        .takes = {"1 s", "1 s", "5 s"},
        .seeds = {"0", "0", "0"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"finite sets",
             fmt::format("all of up to {} atoms, masses 1 to 3; X is Z with its atoms reversed",
                         scale == Scale::full ? 6 : 4),
             "every f and T can be tried"},
            {"smooth case",
             fmt::format("{} random coupling flows on R^6, T uniform on SO(6), 5 points each", flows(scale)),
             "Z is a standard normal, which every rotation preserves"}};
  }

  Json measure(const Request& request) const override {
    TransferCounts c;
    for (const FiniteSpace& z : all_spaces(request.scale == Scale::full ? 6 : 4, 3)) {
      check_stop(request.stop);
      FiniteSpace x = z;
      std::reverse(x.masses.begin(), x.masses.end());
      count_transfer(z, x, c);
    }
    double commuting = 0, inverse_error = 0, jacobian = 0;
    for (const std::uint64_t seed : request.seeds) {
      RngStreams streams(seed);
      Rng& rng = streams["transfer"];
      for (std::int64_t i = 0; i < flows(request.scale); ++i) {
        const CouplingFlow f(6, rng);
        const at::Tensor t = random_rotation(6, rng), z = random_normal(5, 6, rng), x = f.forward(z);
        const at::Tensor s = f.forward(at::matmul(f.inverse(x), t));
        commuting = std::max(commuting, (s - f.forward(at::matmul(z, t))).abs().max().item<double>());
        const at::Tensor back = f.forward(at::matmul(f.inverse(s), t.t()));
        inverse_error = std::max(inverse_error, (back - x).abs().max().item<double>());
        for (std::int64_t k = 0; k < z.size(0); ++k)
          jacobian = std::max(jacobian, jacobian_error(f, t, z.narrow(0, k, 1)));
      }
    }
    return {{"isomorphisms", c.isomorphisms},
            {"transferred", c.transferred},
            {"automorphisms", c.automorphisms},
            {"commuting", c.commuting},
            {"whole_group", c.whole_group},
            {"products", c.products},
            {"products_kept", c.products_kept},
            {"others", c.others},
            {"others_automorphisms", c.others_automorphisms},
            {"flow_commuting", commuting},
            {"flow_inverse", inverse_error},
            {"flow_jacobian", jacobian}};
  }

  Finding judge(const Json& r) const override {
    const auto n = [&](const char* key) { return json_count(r.at(key)); };
    if (n("transferred") == 0) return {Verdict::cannot_tell, "nothing was transferred"};
    if (n("automorphisms") != n("transferred") || n("commuting") != n("transferred") ||
        n("whole_group") != n("isomorphisms") || n("products_kept") != n("products"))
      return {Verdict::disagrees, fmt::format("of {} maps S, {} are automorphisms and {} commute with f",
                                              n("transferred"), n("automorphisms"), n("commuting"))};
    if (n("others_automorphisms") == n("others"))
      return {Verdict::cannot_tell, "maps that are no isomorphisms transfer automorphisms just as well"};
    const double worst = std::max({r.at("flow_commuting").get<double>(), r.at("flow_inverse").get<double>(),
                                   r.at("flow_jacobian").get<double>()});
    if (!(worst <= kSmoothTolerance))
      return {Verdict::disagrees, fmt::format("on flows an identity fails by {:.1e}", worst)};
    return {Verdict::agrees,
            fmt::format("all {} maps S are automorphisms and commute with f, and every automorphism of X "
                        "arises; on flows all identities hold to {:.0e}",
                        n("transferred"), worst)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    const auto small = [&](const char* key) { return fmt::format("{:.1e}", r.at(key).get<double>()); };
    page.html().table({{"on finite sets", "count"},
                       {{"isomorphisms f", r.at("isomorphisms").dump()},
                        {"S = f T f^-1", r.at("transferred").dump()},
                        {"automorphisms of X", r.at("automorphisms").dump()},
                        {"S f = f T", r.at("commuting").dump()},
                        {"isomorphisms through which all of Aut(X) arises", r.at("whole_group").dump()},
                        {"products kept", r.at("products_kept").dump() + " of " + r.at("products").dump()},
                        {"bijections f that are no isomorphisms: S an automorphism",
                         r.at("others_automorphisms").dump() + " of " + r.at("others").dump()}},
                       "Every case"});
    page.html().table(
        {{"on flows", "largest error"},
         {{"S f - f T", small("flow_commuting")},
          {"S^-1 S - id", small("flow_inverse")},
          {"log |det DS|, automatic differentiation against the chain rule", small("flow_jacobian")}},
         ""});
  }

 private:
  static std::int64_t flows(Scale scale) { return scale == Scale::smoke ? 20 : 200; }
};

}  // namespace

std::shared_ptr<const Experiment> transfer() { return std::make_shared<Transfer>(); }

}  // namespace torsor
