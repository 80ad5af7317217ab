// S0-C2, Proposition 2.2: the zero-loss pairs are a torsor under Aut(X).
#include <algorithm>

#include "experiment/experiments.h"
#include "theory/finite_space.h"

namespace torsor {

namespace {

// What is counted for one problem.
struct TorsorCounts {
  std::int64_t tried = 0, solutions = 0, automorphisms = 0;
  std::int64_t ordered_pairs = 0, related_once = 0, by_formula = 0;
};

TorsorCounts count_torsor(const FiniteProblem& p) {
  TorsorCounts c;
  const std::vector<FiniteMap> group = automorphisms(p.x);
  const std::vector<FinitePair> solutions = zero_loss_pairs(p.x, p.y, c.tried);
  c.solutions = std::ssize(solutions);
  c.automorphisms = std::ssize(group);
  for (const FinitePair& from : solutions)
    for (const FinitePair& to : solutions) {
      ++c.ordered_pairs;
      const auto relates = [&](const FiniteMap& phi) { return moved(from, phi) == to; };
      c.related_once += std::count_if(group.begin(), group.end(), relates) == 1;
      // The proof's phi, in torsor's names: F after the other solution's G.
      c.by_formula += relates(composed(from.f, to.g));
    }
  return c;
}

class FiniteTorsor : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C2",
        .title = "zero-loss pairs are a torsor under Aut(X) (Prop. 2.2), every case on small sets",
        .plain =
            "This page lists all perfect pairs of translators between small sets, and counts "
            "whether any two of them differ by exactly one exchange of items that occur equally "
            "often.",
        .claim =
            "Any two pairs of zero loss, (G, F) and (G', F'), differ by exactly one automorphism phi of X: "
            "G' = G o phi and F' = phi^-1 o F, and phi = F o G'. So there are as many solutions as "
            "automorphisms, or none.",
        .rule =
            "agrees: on every set tried, every ordered pair of solutions is related by exactly one "
            "automorphism, F o G' is that one, and the number of solutions is 0 or |Aut(X)|. disagrees: "
            "one exception. cannot tell: no problem had two solutions.",
        .takes = {"1 s", "1 s", "20 s"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"probability spaces",
             fmt::format("all of up to {} atoms with masses of 1 to 3 units", max_atoms(scale)),
             "the proposition is for all spaces; on these all pairs of maps can be tried"},
            {"loss", "total variation and |i - j|, as for S0-C1", "any f-divergence and norm are allowed"}};
  }

  Json measure(const Request& request) const override {
    Json problems = Json::array();
    for (const FiniteProblem& p : finite_problems(max_atoms(request.scale), 3)) {
      check_stop(request.stop);
      const TorsorCounts c = count_torsor(p);
      problems.push_back({{"x", p.x.text()},
                          {"y", p.y.text()},
                          {"pairs_tried", c.tried},
                          {"solutions", c.solutions},
                          {"automorphisms", c.automorphisms},
                          {"ordered_pairs", c.ordered_pairs},
                          {"related_once", c.related_once},
                          {"by_formula", c.by_formula}});
    }
    return {{"problems", problems}};
  }

  Finding judge(const Json& r) const override {
    std::int64_t several = 0, pairs = 0;
    for (const Json& p : r.at("problems")) {
      const auto n = [&](const char* key) { return json_count(p.at(key)); };
      const std::string where =
          fmt::format("X = {}, Y = {}", p.at("x").get<std::string>(), p.at("y").get<std::string>());
      if (n("solutions") != 0 && n("solutions") != n("automorphisms"))
        return {Verdict::disagrees,
                fmt::format("{}: {} solutions, {} automorphisms", where, n("solutions"), n("automorphisms"))};
      if (n("related_once") != n("ordered_pairs"))
        return {Verdict::disagrees,
                fmt::format("{}: {} ordered pairs of solutions, {} related by exactly one "
                            "automorphism",
                            where, n("ordered_pairs"), n("related_once"))};
      if (n("by_formula") != n("ordered_pairs"))
        return {Verdict::disagrees,
                fmt::format("{}: F o G' is not the automorphism that relates them", where)};
      several += n("solutions") > 1;
      pairs += n("ordered_pairs");
    }
    if (several == 0) return {Verdict::cannot_tell, "no problem had two solutions"};
    return {Verdict::agrees,
            fmt::format("{} ordered pairs of solutions, each related by exactly one automorphism, "
                        "which is F o G'; {} problems with several solutions",
                        pairs, several)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    Table table{
        {"X, masses", "Y, masses", "pairs tried", "|Aut(X)|", "solutions", "ordered pairs related once"},
        {},
        "The problems; without a solution the spaces are not isomorphic"};
    for (const Json& p : r.at("problems"))
      table.rows.push_back(
          {p.at("x"), p.at("y"), p.at("pairs_tried").dump(), p.at("automorphisms").dump(),
           p.at("solutions").dump(),
           fmt::format("{} of {}", p.at("related_once").dump(), p.at("ordered_pairs").dump())});
    page.html().table(table);
  }

 private:
  static std::size_t max_atoms(Scale scale) {
    return scale == Scale::smoke ? 3 : scale == Scale::quick ? 4 : 5;
  }
};

}  // namespace

std::shared_ptr<const Experiment> finite_torsor() { return std::make_shared<FiniteTorsor>(); }

}  // namespace torsor
