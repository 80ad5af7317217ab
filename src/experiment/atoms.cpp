// S0-C7, Definition 2.1 and Proposition 2.4: which Lebesgue spaces have automorphisms.
#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "experiment/experiments.h"
#include "theory/finite_space.h"

namespace torsor {

namespace {

constexpr double kMeasureTolerance = 1e-12;

struct LineInterval {
  double low = 0, high = 0;
  double length() const { return std::max(0.0, high - low); }
};

LineInterval overlap(const LineInterval& a, const LineInterval& b) {
  return {std::max(a.low, b.low), std::min(a.high, b.high)};
}

// Measures of the preimage of an interval of [0, c] under three maps.
double preimage_under_reversal(const LineInterval& a, double c) {
  return LineInterval{c - a.high, c - a.low}.length();
}

double preimage_under_square(const LineInterval& a, double c) {  // x -> x^2 / c, which preserves nothing
  return std::sqrt(a.high * c) - std::sqrt(a.low * c);
}

// Exchanges (p, p + d) with (q, q + d), p + d <= q.
double preimage_under_exchange(const LineInterval& a, double c, double p, double q, double d) {
  const LineInterval first{p, p + d}, second{q, q + d};
  double sum = 0;
  for (const LineInterval& fixed : {LineInterval{0, p}, LineInterval{p + d, q}, LineInterval{q + d, c}})
    sum += overlap(a, fixed).length();
  const LineInterval in_first = overlap(a, first), in_second = overlap(a, second);
  sum += LineInterval{in_first.low + q - p, in_first.high + q - p}.length();
  sum += LineInterval{in_second.low + p - q, in_second.high + p - q}.length();
  return sum;
}

struct IntervalCounts {
  std::int64_t tested = 0;
  double reversal = 0, exchange = 0, square = 0;  // largest change of measure

  void add(Rng& rng) {
    const double c = rng.uniform(0.1, 1);
    LineInterval a{rng.uniform(0, c), rng.uniform(0, c)};
    if (a.low > a.high) std::swap(a.low, a.high);
    const double d = rng.uniform(0, c / 2), p = rng.uniform(0, c - 2 * d), q = rng.uniform(p + d, c - d);
    const auto change = [&](double measure) { return std::abs(measure - a.length()); };
    reversal = std::max(reversal, change(preimage_under_reversal(a, c)));
    exchange = std::max(exchange, change(preimage_under_exchange(a, c, p, q, d)));
    square = std::max(square, change(preimage_under_square(a, c)));
    ++tested;
  }
};

bool has_equal_masses(const FiniteSpace& space) {  // its masses are sorted
  return std::adjacent_find(space.masses.begin(), space.masses.end()) != space.masses.end();
}

class Atoms : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C7",
        .title = "where automorphisms exist (Prop. 2.4)",
        .plain =
            "This page counts which collections can be rearranged without changing how often "
            "anything occurs in them, and so leave a translator more than one right answer.",
        .claim =
            "A Lebesgue space that is not purely atomic, or has two atoms of equal mass, has automorphisms "
            "other than the identity: x -> c - x and exchanges of subintervals on its continuous part, "
            "exchanges of equal atoms. Conversely atoms of distinct masses allow none.",
        .rule = fmt::format(
            "agrees: of all finite spaces tried exactly those with two equal masses have more than one "
            "automorphism, and on random intervals reversal and exchange keep the measure to {} while a "
            "map that does not preserve it is told apart. disagrees: one exception. cannot tell: both "
            "kinds of space did not occur.",
            kMeasureTolerance),
        .takes = {"1 s", "1 s", "1 s"},
        .seeds = {"0", "0", "0-4"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    return {{"purely atomic spaces",
             fmt::format("all of up to {} atoms with masses of 1 to 5 units", max_atoms(scale)),
             "all permutations can be tried"},
            {"continuous part",
             fmt::format("[0, c] with random c, {} random subintervals a seed", intervals(scale)),
             "their preimages' measures have closed forms"}};
  }

  Json measure(const Request& request) const override {
    std::int64_t spaces = 0, equal = 0, equal_with = 0, distinct_with = 0;
    Json examples = Json::array();
    for (const FiniteSpace& space : all_spaces(max_atoms(request.scale), 5)) {
      check_stop(request.stop);
      const std::size_t order = automorphisms(space).size();
      const bool twins = has_equal_masses(space);
      ++spaces;
      equal += twins;
      (twins ? equal_with : distinct_with) += order > 1;
      if (space.size() == 3) examples.push_back({{"masses", space.text()}, {"automorphisms", order}});
    }
    IntervalCounts c;
    for (const std::uint64_t seed : request.seeds) {
      RngStreams rng(seed);
      for (std::int64_t i = 0; i < intervals(request.scale); ++i) c.add(rng["intervals"]);
    }
    return {{"spaces", spaces},         {"equal", equal},
            {"equal_with", equal_with}, {"distinct_with", distinct_with},
            {"examples", examples},     {"intervals", c.tested},
            {"reversal", c.reversal},   {"exchange", c.exchange},
            {"square", c.square}};
  }

  Finding judge(const Json& r) const override {
    const auto n = [&](const char* key) { return json_count(r.at(key)); };
    if (n("equal") == 0 || n("equal") == n("spaces") || n("intervals") == 0)
      return {Verdict::cannot_tell, "only one kind of space was met"};
    if (n("equal_with") != n("equal"))
      return {Verdict::disagrees,
              fmt::format("{} spaces with equal masses have no automorphism but the identity",
                          n("equal") - n("equal_with"))};
    if (n("distinct_with") != 0)
      return {Verdict::disagrees,
              fmt::format("{} spaces of distinct masses have automorphisms", n("distinct_with"))};
    const double change = std::max(r.at("reversal").get<double>(), r.at("exchange").get<double>());
    if (change > kMeasureTolerance)
      return {Verdict::disagrees, fmt::format("an interval's measure changes by {:.1e}", change)};
    if (r.at("square").get<double>() < 0.01)
      return {Verdict::cannot_tell, "the map that preserves nothing was not told apart"};
    return {Verdict::agrees, fmt::format("of {} finite spaces exactly the {} with equal masses have "
                                         "automorphisms; on {} intervals reversal and exchange change no "
                                         "measure by more than {:.0e}",
                                         n("spaces"), n("equal"), n("intervals"), change)};
  }

  void present(const Json& r, ReproductionPage& page) const override {
    Table table{{"masses of three atoms", "automorphisms"},
                {},
                "Examples; equal masses can be exchanged, others not"};
    for (const Json& e : r.at("examples"))
      table.rows.push_back({e.at("masses"), e.at("automorphisms").dump()});
    const auto small = [&](const char* key) { return fmt::format("{:.1e}", r.at(key).get<double>()); };
    page.html().table({{"map of [0, c]", "largest change of an interval's measure"},
                       {{"x -> c - x", small("reversal")},
                        {"two subintervals of one length exchanged", small("exchange")},
                        {"x -> x^2 / c, no automorphism", small("square")}},
                       fmt::format("{} random intervals", r.at("intervals").dump())});
    page.html().table(table);
  }

 private:
  static std::size_t max_atoms(Scale scale) { return scale == Scale::full ? 7 : 5; }
  static std::int64_t intervals(Scale scale) { return scale == Scale::smoke ? 1000 : 100000; }
};

}  // namespace

std::shared_ptr<const Experiment> atoms() { return std::make_shared<Atoms>(); }

}  // namespace torsor
