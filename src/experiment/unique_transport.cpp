// S2-C2: a cost of transport leaves one map where the CycleGAN problem leaves many.
#include <algorithm>

#include "experiment/experiments.h"
#include "experiment/point_experiment.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr double kOneMap = 0.1;     // starts whose maps are nearer to each other found one
constexpr double kManyMaps = 0.2;   // further apart, they found several
constexpr double kStartGain = 0.2;  // of all arms: starts that differ

constexpr const char* kCycleArm = "CycleGAN";
constexpr const char* kCostArm = "transport 0.1";

std::vector<PointArm> start_arms() {
  PointArm cycle{kCycleArm, "two generators, cycle loss of weight 3, no cost", {}, kStartGain};
  PointArm alone{"no cost", "one generator, neither cycle loss nor cost", {}, kStartGain, 0};
  alone.way_back = WayBack::none;
  std::vector<PointArm> out = {cycle, alone};
  for (const auto& [weight, name] : {std::pair{0.01, "0.01"}, {0.1, "0.1"}, {0.3, "0.3"}}) {
    PointArm arm = alone;
    arm.name = fmt::format("transport {}", name);
    arm.what = fmt::format("one generator, no cycle loss, cost of weight {} (S2-Q6)", name);
    arm.lambda_transport = weight;
    out.push_back(arm);
  }
  return out;
}

struct Starts {
  std::string problem;
  const Json *cycle, *cost;

  bool one_map() const { return cost->at("apart").get<double>() <= kOneMap; }
  bool many_maps() const { return has_starts(*cycle) && cycle->at("apart").get<double>() >= kManyMaps; }
};

std::vector<Starts> starts_of(const Json& rows) {
  std::vector<Starts> out;
  for (const Json& row : rows) {
    if (row.at("arm") != kCycleArm) continue;
    const std::string problem = row.at("problem");
    out.push_back({problem, &row, &point_row(rows, problem, kCostArm)});
  }
  return out;
}

class UniqueTransport : public PointExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-C2",
        .title = "with a cost, many starts reach one map",
        .plain =
            "Many trainings that begin differently learn to turn one cloud of points into another: the page "
            "shows whether they "
            "end with the same answer, for CycleGANs and for trainings that also ask that points move as "
            "little as "
            "possible.",
        .claim =
            "Where distributions have densities on compact sets and the cost is a strictly convex function "
            "of "
            "x - y, there is one transport of least cost, while the CycleGAN problem has infinitely many "
            "solutions.",
        .rule = fmt::format("Distance of the maps of two starts, of those that meet the target, as a share "
                            "of the distance of two random "
                            "points of the target, on the problems where {2} starts or more meet it with a "
                            "cost of weight 0.1. agrees: "
                            "on each of them, and there is one, it is at most {0} with that cost, and on "
                            "some problem at least {1} for "
                            "a CycleGAN. disagrees: on some problem it is at least {1} with the cost. cannot "
                            "tell: otherwise.",
                            kOneMap, kManyMaps, kLeastStarts),
        .takes = {"10 s", "5 min", "3 h"},
        .seeds = {"0", "0", "0"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    bool one = true, many = false, several = false;
    std::size_t problems = 0;
    std::vector<std::string> said;
    for (const Starts& s : starts_of(results.at("rows"))) {
      many = many || s.many_maps();
      if (has_starts(*s.cost)) {
        ++problems;
        one = one && s.one_map();
        several = several || s.cost->at("apart").get<double>() >= kManyMaps;
      }
      const auto text = [](const Json& row) {
        return has_starts(row) ? fmt::format("{:.2f}", row.at("apart").get<double>())
                               : "too few meet the target";
      };
      said.push_back(
          fmt::format("{}: {} with the cost, {} without", s.problem, text(*s.cost), text(*s.cycle)));
    }
    const std::string numbers = "maps of two starts are apart by: " + join(said, "; ");
    if (several) return {Verdict::disagrees, numbers};
    return {one && many && problems > 0 ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    page.html().table(point_table(results.at("rows"), {{"miss", "miss"}}));
  }

 private:
  std::vector<PointArm> arms() const override { return start_arms(); }
  std::vector<Setting> own_settings() const override {
    return {{"starts", fmt::format("weights from N(0, {}^2) in the last layer of a block", kStartGain),
             "small ones begin at nearly the same map, which hides the ambiguity"}};
  }

  std::vector<std::string> problems(Scale scale) const override {
    if (scale == Scale::smoke) return {"moons to ring"};
    return {"Gaussians of 2", "moons to ring"};
  }
};

}  // namespace

std::shared_ptr<const Experiment> unique_transport() { return std::make_shared<UniqueTransport>(); }

}  // namespace torsor
