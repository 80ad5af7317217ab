// S2-C3: three stylised facts about ResNets and CycleGANs, measured where cost and energy are of one kind.
#include <algorithm>

#include "experiment/experiments.h"
#include "experiment/point_experiment.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr double kStraight = 0.9;   // of paths through the blocks
constexpr double kEvenShare = 0.5;  // of the energy in one of four blocks, at most

constexpr const char* kUsual = "ResNet, cycle 3";
constexpr const char* kNoCycle = "ResNet, cycle 0";
constexpr const char* kNoSkips = "plain, cycle 3";

std::vector<PointArm> fact_arms() {
  std::vector<PointArm> out;
  for (const int weight : {0, 1, 3, 10, 100}) {
    PointArm arm{fmt::format("ResNet, cycle {}", weight),
                 fmt::format("residual blocks, initial gain 0.02, cycle loss of weight {}", weight)};
    arm.lambda_cycle = weight;
    out.push_back(arm);
  }
  PointArm plain{
      kNoSkips, "the same blocks without skips, initial gain 0.2, cycle loss of weight 3", {}, 0.2};
  plain.network.kind = "plain";
  out.push_back(plain);
  return out;
}

enum class Holds { yes, no, open };

std::string holds_text(Holds holds) {
  return holds == Holds::yes ? "holds" : holds == Holds::no ? "does not hold" : "open";
}

// Whether the mean of values is above (or below) a line.
Holds mean_is(const std::vector<double>& values, double line, bool (*on_its_side)(double, double)) {
  if (std::ssize(values) < kLeastStarts) return Holds::open;
  const Interval interval = mean_interval(values).interval;
  const bool low = on_its_side(interval.low, line), high = on_its_side(interval.high, line);
  return low && high ? Holds::yes : !low && !high ? Holds::no : Holds::open;
}
bool is_above(double value, double line) { return value >= line; }
bool is_below(double value, double line) { return value <= line; }

// Whether the smaller one's mean is shown to be below the greater one's: their intervals do not meet.
Holds is_less(const std::vector<double>& smaller, const std::vector<double>& greater) {
  if (std::ssize(smaller) < kLeastStarts || std::ssize(greater) < kLeastStarts) return Holds::open;
  const Interval s = mean_interval(smaller).interval, g = mean_interval(greater).interval;
  return s.high < g.low ? Holds::yes : g.high < s.low ? Holds::no : Holds::open;
}

Holds both(Holds x, Holds y) {
  if (x == Holds::no || y == Holds::no) return Holds::no;
  return x == Holds::yes && y == Holds::yes ? Holds::yes : Holds::open;
}

struct Facts {
  std::string problem;
  Holds euler, cheap, cycle;
};

std::vector<Facts> facts_of(const Json& rows) {
  std::vector<Facts> out;
  for (const Json& row : rows) {
    if (row.at("arm") != kUsual) continue;
    const std::string problem = row.at("problem");
    const auto gap = [&](const char* arm) { return met_values(point_row(rows, problem, arm), "gap"); };
    out.push_back({problem,
                   both(mean_is(met_values(row, "straightness"), kStraight, is_above),
                        mean_is(met_values(row, "largest_share"), kEvenShare, is_below)),
                   is_less(gap(kUsual), gap(kNoSkips)), is_less(gap(kUsual), gap(kNoCycle))});
  }
  return out;
}

class EulerFacts : public PointExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-C3",
        .title = "stylised facts: blocks as Euler steps, cheap ResNets, a cycle loss that lowers cost",
        .plain =
            "Do the layers of a residual network push points straight to where they belong, does such a "
            "network move them less "
            "than another, and does asking for the way back make the way there shorter: three questions, "
            "asked of many small "
            "trainings.",
        .claim =
            "(a) A residual block is an Euler step of a flow; (b) ResNets are energy-efficient; (c) the "
            "cycle-consistency penalty tends to lower the transport cost.",
        .rule = fmt::format(
            "By means over the starts that meet the target ({2} at least), with 95 % intervals, on each "
            "problem. "
            "(a): paths are straight to {0} or more, and no block has more than {1} of the energy. (b): the "
            "gap of "
            "a ResNet is below that of the same blocks without skips. (c): its gap with a cycle weight of 3 "
            "is "
            "below that without a cycle loss. agrees: each of the three holds on some problem, and none is "
            "contradicted on "
            "any. disagrees: one of them is contradicted on some problem. cannot tell: otherwise.",
            kStraight, kEvenShare, kLeastStarts),
        .takes = {"10 s", "5 min", "3 h"},
        .seeds = {"0", "0", "0"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    const std::vector<Facts> facts = facts_of(results.at("rows"));
    bool contradicted = false, euler = false, cheap = false, cycle = false;
    std::vector<std::string> said;
    for (const Facts& f : facts) {
      for (const Holds holds : {f.euler, f.cheap, f.cycle}) contradicted = contradicted || holds == Holds::no;
      euler = euler || f.euler == Holds::yes;
      cheap = cheap || f.cheap == Holds::yes;
      cycle = cycle || f.cycle == Holds::yes;
      said.push_back(fmt::format("{}: (a) {}, (b) {}, (c) {}", f.problem, holds_text(f.euler),
                                 holds_text(f.cheap), holds_text(f.cycle)));
    }
    const std::string numbers = join(said, "; ");
    if (contradicted) return {Verdict::disagrees, numbers};
    return {euler && cheap && cycle ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    Table facts{
        {"problem", "(a) Euler steps", "(b) cheaper than without skips", "(c) cheaper with the cycle"},
        {},
        "By the rule above."};
    for (const Facts& f : facts_of(results.at("rows")))
      facts.rows.push_back({f.problem, holds_text(f.euler), holds_text(f.cheap), holds_text(f.cycle)});
    page.html().table(facts);
    page.html().table(point_table(results.at("rows"), {{"straightness", "straightness"},
                                                       {"largest_share", "largest share of energy"},
                                                       {"cycle", "cycle error"}}));
  }

 private:
  std::vector<PointArm> arms() const override { return fact_arms(); }

  std::vector<std::string> problems(Scale scale) const override {
    if (scale == Scale::smoke) return {"moons to ring"};
    return {"Gaussians of 2", "moons to ring"};
  }
};

}  // namespace

std::shared_ptr<const Experiment> euler_facts() { return std::make_shared<EulerFacts>(); }

}  // namespace torsor
