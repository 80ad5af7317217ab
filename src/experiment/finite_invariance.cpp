// S0-C1, Proposition 2.1: automorphisms keep the kernel.
#include "experiment/experiments.h"
#include "theory/finite_space.h"

namespace torsor {

namespace {

class FiniteInvariance : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C1",
        .title = "automorphisms keep zero loss (Prop. 2.1), every case on small sets",
        .plain =
            "This page tries on every small case whether a perfect pair of translators stays "
            "perfect when items that occur equally often change places, and counts the "
            "exceptions.",
        .claim =
            "If G and F have zero CycleGAN loss, both are isomorphisms, and for every automorphism phi of "
            "X the pair (G o phi, phi^-1 o F) has zero loss too; where phi is not the identity it is "
            "another pair.",
        .rule =
            "agrees: on every set tried, every pair of zero loss consists of isomorphisms, every "
            "automorphism keeps its loss at zero, and every one but the identity changes both maps, while "
            "no permutation that is not an automorphism keeps it at zero (a check that the test can fail). "
            "disagrees: one exception. cannot tell: no zero-loss pair or no automorphism but the identity "
            "was met.",
        .takes = {"1 s", "1 s", "20 s"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"probability spaces",
             fmt::format("all of up to {} atoms with masses of 1 to 3 units", max_atoms(scale)),
             "the proposition is for all spaces; on these all pairs of maps can be tried"},
            {"f-divergence", "total variation", "the paper allows any; this one is a whole number here"},
            {"norm of the cycle loss", "|i - j| between atoms i and j", "any norm is allowed"},
            {"Y", "X with its atoms in reverse order, and a space that is not isomorphic",
             "both kinds of problem occur"}};
  }

  Json measure(const Request& request) const override {
    std::int64_t problems = 0, tried = 0, solutions = 0, isomorphisms = 0;
    std::int64_t applied = 0, kept = 0, nontrivial = 0, changed = 0, others = 0, others_kept = 0;
    for (const FiniteProblem& p : finite_problems(max_atoms(request.scale), 3)) {
      check_stop(request.stop);
      ++problems;
      const std::vector<FiniteMap> all = permutations(p.x.size());
      for (const FinitePair& pair : zero_loss_pairs(p.x, p.y, tried)) {
        ++solutions;
        isomorphisms += is_isomorphism(pair.g, p.x, p.y) && is_isomorphism(pair.f, p.y, p.x);
        for (const FiniteMap& phi : all) {
          const FinitePair other = moved(pair, phi);
          const bool zero = pure_loss(p.x, p.y, other.g, other.f) == 0;
          if (!preserves_mass(phi, p.x, p.x)) {
            ++others;
            others_kept += zero;
            continue;
          }
          ++applied;
          kept += zero;
          if (phi == identity_map(p.x.size())) continue;
          ++nontrivial;
          changed += other.g != pair.g && other.f != pair.f;
        }
      }
    }
    return {{"problems", problems},         {"pairs_tried", tried},
            {"zero_loss_pairs", solutions}, {"isomorphisms", isomorphisms},
            {"applied", applied},           {"kept", kept},
            {"nontrivial", nontrivial},     {"changed", changed},
            {"other_permutations", others}, {"other_permutations_kept", others_kept}};
  }

  Finding judge(const Json& r) const override {
    const auto n = [&](const char* key) { return json_count(r.at(key)); };
    if (n("zero_loss_pairs") == 0 || n("nontrivial") == 0)
      return {Verdict::cannot_tell, "no pair of zero loss, or no automorphism but the identity, was met"};
    if (n("isomorphisms") != n("zero_loss_pairs"))
      return {Verdict::disagrees, fmt::format("{} pairs of zero loss are no isomorphisms",
                                              n("zero_loss_pairs") - n("isomorphisms"))};
    if (n("kept") != n("applied"))
      return {Verdict::disagrees,
              fmt::format("automorphisms made the loss positive {} times", n("applied") - n("kept"))};
    if (n("changed") != n("nontrivial"))
      return {Verdict::disagrees,
              fmt::format("{} automorphisms that are not the identity left a map as it was",
                          n("nontrivial") - n("changed"))};
    if (n("other_permutations_kept") != 0)
      return {Verdict::disagrees,
              fmt::format("{} permutations that are no automorphisms kept the loss at zero",
                          n("other_permutations_kept"))};
    return {
        Verdict::agrees,
        fmt::format("all {} pairs of zero loss are isomorphisms, and of {} automorphisms applied to them all "
                    "keep zero loss; of {} other permutations none does",
                    n("zero_loss_pairs"), n("applied"), n("other_permutations"))};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    page.html().table({{"", "count"},
                       {{"problems (X, Y)", r.at("problems").dump()},
                        {"pairs (G, F) tried", r.at("pairs_tried").dump()},
                        {"of zero loss", r.at("zero_loss_pairs").dump()},
                        {"of these, both maps isomorphisms", r.at("isomorphisms").dump()},
                        {"automorphisms applied to them", r.at("applied").dump()},
                        {"zero loss kept", r.at("kept").dump()},
                        {"not the identity", r.at("nontrivial").dump()},
                        {"both maps changed", r.at("changed").dump()},
                        {"permutations that are no automorphisms applied", r.at("other_permutations").dump()},
                        {"zero loss kept by them", r.at("other_permutations_kept").dump()}},
                       "Every case, in whole numbers"});
  }

 private:
  static std::size_t max_atoms(Scale scale) {
    return scale == Scale::smoke ? 3 : scale == Scale::quick ? 4 : 5;
  }
  static bool is_isomorphism(const FiniteMap& map, const FiniteSpace& from, const FiniteSpace& to) {
    return is_bijection(map, to.size()) && preserves_mass(map, from, to);
  }
};

}  // namespace

std::shared_ptr<const Experiment> finite_invariance() { return std::make_shared<FiniteInvariance>(); }

}  // namespace torsor
