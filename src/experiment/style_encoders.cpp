// S0-C11: style encoders leave only the automorphisms that keep the style (the paper's remark on MISO).
#include <algorithm>
#include <cmath>
#include <map>

#include "experiment/experiments.h"
#include "theory/finite_space.h"

namespace torsor {

namespace {

constexpr std::size_t kStyles = 3;

struct StyleCounts {
  std::int64_t problems = 0, solvable = 0, wrong_count = 0, pairs = 0, related = 0;
};

bool keeps_style(const FiniteMap& map, const FiniteMap& style_here, const FiniteMap& style_there) {
  for (std::size_t i = 0; i < map.size(); ++i)
    if (style_there[static_cast<std::size_t>(map[i])] != style_here[i]) return false;
  return true;
}

std::vector<FiniteMap> style_automorphisms(const std::vector<FiniteMap>& group, const FiniteMap& style) {
  std::vector<FiniteMap> kept;
  for (const FiniteMap& phi : group)
    if (keeps_style(phi, style, style)) kept.push_back(phi);
  return kept;
}

// One pair of encoders: the zero-loss pairs whose translations have the input's style.
void count_styles(const std::vector<FinitePair>& solutions, const std::vector<FiniteMap>& group,
                  const FiniteMap& style_x, const FiniteMap& style_y, StyleCounts& c) {
  std::vector<FinitePair> kept;
  for (const FinitePair& pair : solutions)
    if (keeps_style(pair.g, style_x, style_y) && keeps_style(pair.f, style_y, style_x)) kept.push_back(pair);
  ++c.problems;
  if (kept.empty()) return;
  ++c.solvable;
  const std::vector<FiniteMap> stabiliser = style_automorphisms(group, style_x);
  c.wrong_count += kept.size() != stabiliser.size();
  for (const FinitePair& from : kept)
    for (const FinitePair& to : kept) {
      ++c.pairs;
      c.related += std::count_if(stabiliser.begin(), stabiliser.end(),
                                 [&](const FiniteMap& phi) { return moved(from, phi) == to; }) == 1;
    }
}

// How many automorphisms of n equal atoms encoders of each kind leave, by the sizes of the style classes.
Json reduction(std::size_t n) {
  const FiniteSpace space{std::vector<int>(n, 1)};
  const std::vector<FiniteMap> group = automorphisms(space);
  std::map<std::vector<std::int64_t>, std::size_t> left;
  for_each_map(n, n, [&](const FiniteMap& style) {
    std::vector<std::int64_t> sizes;
    for (std::size_t k = 0; k < n; ++k)
      sizes.push_back(std::count(style.begin(), style.end(), static_cast<std::int16_t>(k)));
    std::sort(sizes.rbegin(), sizes.rend());
    sizes.erase(std::find(sizes.begin(), sizes.end(), 0), sizes.end());
    if (!left.contains(sizes)) left[sizes] = style_automorphisms(group, style).size();
  });
  Json rows = Json::array();
  for (const auto& [sizes, count] : left)
    rows.push_back({{"classes", sizes}, {"automorphisms", group.size()}, {"left", count}});
  return rows;
}

std::string classes_text(const Json& sizes) {
  FiniteSpace as_text;
  for (const Json& size : sizes) as_text.masses.push_back(size.get<int>());
  return as_text.text();
}

class StyleEncoders : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {.id = "S0-C11",
                                        .title = "style encoders restrict the ambiguity (remark on MISO)",
                                        .plain =
                                            "If a translator must keep the style of what it "
                                            "translates, fewer wrong answers are left to it: the "
                                            "table counts how many, for every way to sort five "
                                            "things by style.",
                                        .claim =
                                            "Style encoders E_X, E_Y whose style a translation must keep "
                                            "should reduce the solutions to those that differ by an "
                                            "automorphism phi of X with E_X o phi = E_X; by how much "
                                            "depends on the encoder, and should be quantified.",
                                        .rule =
                                            "agrees: for all small sets and all pairs of encoders the "
                                            "solutions that keep the style are none or as many as the "
                                            "automorphisms that keep it, and any two are related by "
                                            "exactly one of these. disagrees: one exception. cannot tell: "
                                            "no problem had a solution.",
                                        .takes = {"1 s", "2 s", "30 s"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"spaces",
             fmt::format("all of up to {} atoms with masses 1 to 2; Y is X with its atoms reversed",
                         max_atoms(scale)),
             "every case can be tried"},
            {"encoders", fmt::format("every pair of maps to {} styles", kStyles),
             "the paper leaves the analysis open"},
            {"loss", "the pure loss, and translations of another style are not allowed",
             "the ideal of MISO's mutual-information term"}};
  }

  Json measure(const Request& request) const override {
    StyleCounts c;
    for (const FiniteSpace& x : all_spaces(max_atoms(request.scale), 2)) {
      FiniteSpace y = x;
      std::reverse(y.masses.begin(), y.masses.end());
      std::int64_t tried = 0;
      const std::vector<FinitePair> solutions = zero_loss_pairs(x, y, tried);
      const std::vector<FiniteMap> group = automorphisms(x);
      for_each_map(x.size(), kStyles, [&](const FiniteMap& style_x) {
        check_stop(request.stop);
        for_each_map(y.size(), kStyles,
                     [&](const FiniteMap& style_y) { count_styles(solutions, group, style_x, style_y, c); });
      });
    }
    return {{"problems", c.problems}, {"solvable", c.solvable}, {"wrong_count", c.wrong_count},
            {"pairs", c.pairs},       {"related", c.related},   {"reduction", reduction(5)}};
  }

  Finding judge(const Json& r) const override {
    const auto n = [&](const char* key) { return json_count(r.at(key)); };
    if (n("solvable") == 0) return {Verdict::cannot_tell, "no problem had a solution"};
    if (n("wrong_count") > 0)
      return {Verdict::disagrees,
              fmt::format("in {} of {} problems there are not as many solutions as automorphisms that "
                          "keep the style",
                          n("wrong_count"), n("solvable"))};
    if (n("related") != n("pairs"))
      return {Verdict::disagrees,
              fmt::format("{} of {} pairs of solutions are related by exactly one such automorphism",
                          n("related"), n("pairs"))};
    return {Verdict::agrees,
            fmt::format("in all {} problems with a solution (of {}) there are as many as automorphisms that "
                        "keep the style, and all {} pairs are related by exactly one",
                        n("solvable"), n("problems"), n("pairs"))};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    Table table{{"style classes of five equal atoms", "automorphisms", "left", "bits of ambiguity removed",
                 "bits left"},
                {},
                "The reduction, quantified: an encoder with classes of sizes a, b, ... leaves a! b! ... "
                "automorphisms"};
    for (const Json& row : r.at("reduction")) {
      const double all = row.at("automorphisms"), left = row.at("left");
      table.rows.push_back({classes_text(row.at("classes")), fmt::format("{:.0f}", all),
                            fmt::format("{:.0f}", left), fmt::format("{:.2f}", std::log2(all / left)),
                            fmt::format("{:.2f}", std::log2(left))});
    }
    page.html().table(table);
    page.html().paragraph(
        "Only an encoder that tells all atoms apart removes the ambiguity, and then it is the translation "
        "that was asked for. One that shares most of its atoms removes little.");
  }

 private:
  static std::size_t max_atoms(Scale scale) {
    return scale == Scale::smoke ? 3 : scale == Scale::quick ? 4 : 5;
  }
};

}  // namespace

std::shared_ptr<const Experiment> style_encoders() { return std::make_shared<StyleEncoders>(); }

}  // namespace torsor
