// S2-E3: a flow as generator, without an inverse network and without a cycle loss, beside a CycleGAN.
#include <algorithm>

#include "experiment/experiments.h"
#include "experiment/point_experiment.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr double kGapAllowed = 0.05;  // by which a flow may be dearer than a CycleGAN
constexpr double kFlowCost = 0.1;     // weight of the cost

constexpr const char* kCycleGan = "CycleGAN";
constexpr const char* kFlowArm = "flow, 8 steps";

PointArm flow_arm(std::int64_t steps) {
  PointArm arm = one_flow(steps, kFlowCost);
  arm.name = fmt::format("flow, {} steps", steps);
  arm.what = fmt::format("dx/dt = v(x, t) in {} Euler steps, one generator, cost of weight {}, no cycle loss",
                         steps, kFlowCost);
  return arm;
}

std::vector<PointArm> flow_arms() {
  std::vector<PointArm> out = {
      {kCycleGan, "two ResNets of four blocks, cycle loss of weight 3, initial gain 0.02"}};
  for (const std::int64_t steps : {1, 2, 4, 8, 16, 32}) out.push_back(flow_arm(steps));
  PointArm own = flow_arm(4);
  own.name = "own blocks, 4 steps";
  own.what = "the same with a block of its own for each step: a ResNet of four blocks of 32";
  own.network = VectorNetwork();
  out.push_back(own);
  return out;
}

class FlowGenerators : public PointExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E3",
        .title = "a flow as generator, beside a CycleGAN",
        .plain =
            "Instead of two networks that undo each other one can train one current that carries points "
            "along, and let it "
            "run backwards for the way back: the page shows whether such a current learns as well as a "
            "CycleGAN, and how "
            "many steps it takes.",
        .claim =
            "An ODE solver makes a new model: a flow, trained by a discriminator and a cost of transport, "
            "needs "
            "neither an inverse network nor a cycle loss.",
        .rule = fmt::format("With as many parameters a network, on the problems where {0} starts of a "
                            "CycleGAN or more meet the target. "
                            "agrees: on each of them, and there is one, {0} starts of a flow of 8 steps do "
                            "too, and the mean of their gap "
                            "is at most {1} above that of the CycleGANs (upper limits of 95 % intervals). "
                            "disagrees: on some fewer flows "
                            "meet it, or their gap's lower limit is more than {1} above the CycleGANs' upper "
                            "limit. cannot tell: "
                            "otherwise.",
                            kLeastStarts, kGapAllowed),
        .takes = {"15 s", "20 min", "5 h"},
        .seeds = {"0", "0", "0"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    bool fine = true, worse = false;
    std::size_t problems = 0;
    std::vector<std::string> said;
    for (const Json& row : rows) {
      if (row.at("arm") != kFlowArm) continue;
      const std::string problem = row.at("problem");
      const Json& cycle = point_row(rows, problem, kCycleGan);
      said.push_back(fmt::format("{}: {} flows meet the target with a gap of {}, {} CycleGANs with {}",
                                 problem, starts_met(row), mean_text(met_values(row, "gap")),
                                 starts_met(cycle), mean_text(met_values(cycle, "gap"))));
      if (!has_starts(cycle)) continue;
      ++problems;
      if (!has_starts(row)) {
        worse = true;
        continue;
      }
      const MeanInterval flow = mean_interval(met_values(row, "gap")),
                         other = mean_interval(met_values(cycle, "gap"));
      fine = fine && flow.interval.high <= other.interval.high + kGapAllowed;
      worse = worse || flow.interval.low > other.interval.high + kGapAllowed;
    }
    const std::string numbers = join(said, "; ");
    if (worse) return {Verdict::disagrees, numbers};
    return {fine && problems > 0 ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    page.html().table(point_table(results.at("rows"), {{"miss", "miss"}, {"straightness", "straightness"}}));
  }

 private:
  std::vector<PointArm> arms() const override { return flow_arms(); }

  std::vector<std::string> problems(Scale scale) const override {
    if (scale == Scale::smoke) return {"moons to ring"};
    return {"Gaussians of 2", "moons to ring"};
  }
};

}  // namespace

std::shared_ptr<const Experiment> flow_generators() { return std::make_shared<FlowGenerators>(); }

}  // namespace torsor
