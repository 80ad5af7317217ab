// S2-E1: is the transport cost of a CycleGAN near the least?
#include <algorithm>
#include <map>

#include "experiment/experiments.h"
#include "experiment/point_experiment.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr double kNearLeast = 0.1;  // gap up to which a cost is not far from the least
constexpr std::size_t kProblemsNeeded = 3;

std::vector<PointArm> cost_arms() {
  std::vector<PointArm> out;
  for (const auto& [gain, name] : {std::pair{0.002, "0.002"}, {0.02, "0.02"}, {0.2, "0.2"}})
    out.push_back(
        {fmt::format("ResNet, {}", name), fmt::format("residual blocks, initial gain {}", name), {}, gain});
  for (const auto& [gain, name] : {std::pair{0.02, "0.02"}, {0.2, "0.2"}}) {
    PointArm arm{fmt::format("plain, {}", name),
                 fmt::format("the same blocks without skips, initial gain {}", name),
                 {},
                 gain};
    arm.network.kind = "plain";
    out.push_back(arm);
  }
  return out;
}

// The arm that the claim is about: the reference's initialisation.
constexpr const char* kReferenceArm = "ResNet, 0.02";

class CycleCost : public PointExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E1",
        .title = "is the transport cost of a CycleGAN near the least?",
        .plain =
            "Many small CycleGANs learn to turn one cloud of points into another: the page shows how much "
            "further than "
            "needed they move the points, and whether that depends on how their networks are built and "
            "begin.",
        .claim =
            "The transport cost of CycleGAN is not far from the least (proposed as an experiment; the "
            "literature "
            "adds: because of residual networks that begin with small weights).",
        .rule =
            fmt::format("gap = (cost - least) / (cost of random pairs - least), its mean over the starts "
                        "that meet the target, "
                        "of a ResNet with the reference's initial gain of 0.02, on the problems where {1} or "
                        "more of its starts "
                        "do. agrees: there are {2} such problems or more, and on each the upper limit of the "
                        "95 % interval is at "
                        "most {0}. disagrees: on some the lower limit is above {0}. cannot tell: otherwise.",
                        kNearLeast, kLeastStarts, kProblemsNeeded),
        .takes = {"10 s", "15 min", "4 h"},
        .seeds = {"0", "0", "0"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    std::vector<std::string> said;
    bool far = false, near = true;
    std::size_t problems = 0;
    for (const Json& row : results.at("rows")) {
      if (row.at("arm") != kReferenceArm) continue;
      const std::vector<double> gaps = met_values(row, "gap");
      if (std::ssize(gaps) < kLeastStarts) continue;
      const std::string problem = row.at("problem");
      said.push_back(fmt::format("{} {}", problem, mean_text(gaps)));
      const Interval interval = mean_interval(gaps).interval;
      far = far || interval.low > kNearLeast;
      near = near && interval.high <= kNearLeast;
      ++problems;
    }
    const std::string numbers = fmt::format("gaps of {}: {}", kReferenceArm,
                                            said.empty() ? "no problem's target is met" : join(said, "; "));
    if (far) return {Verdict::disagrees, numbers};
    return {near && problems >= kProblemsNeeded ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    page.html().table(point_table(results.at("rows")));
    page.drawing("gaps", draw(gap_chart(results)),
                 "The gap of every start that meets its target, by the generator and its initial gain.");
    if (const std::string line = line_text(results); !line.empty()) page.html().paragraph(line);
  }

 private:
  std::vector<PointArm> arms() const override { return cost_arms(); }
  std::vector<std::string> problems(Scale scale) const override {
    if (scale == Scale::smoke) return {"line", "Gaussians of 2", "moons to ring"};
    return {"line",          "Gaussians of 2",         "Gaussians of 4", "Gaussians of 16",
            "moons to ring", "normal to checkerboard", "normal to ring"};
  }

  static LineChart gap_chart(const Json& results) {
    LineChart chart;
    chart.title = "How far from the least";
    chart.x.label = "generator: " + arm_list();
    chart.y.label = "gap";
    const std::vector<PointArm> arms = cost_arms();
    std::map<std::string, Series> by_problem;
    std::vector<std::string> order;
    for (const Json& row : results.at("rows")) {
      const std::string problem = row.at("problem");
      if (!by_problem.contains(problem)) order.push_back(problem);
      Series& series = by_problem[problem];
      series.label = problem;
      series.mark = Mark::points;
      const auto arm =
          std::find_if(arms.begin(), arms.end(), [&](const PointArm& a) { return a.name == row.at("arm"); });
      const double place =
          1 + static_cast<double>(arm - arms.begin()) + 0.1 * static_cast<double>(order.size() - 1);
      for (const double gap : met_values(row, "gap")) {
        series.x.push_back(place);
        series.y.push_back(gap);
      }
    }
    for (const std::string& problem : order) chart.series.push_back(by_problem[problem]);
    return chart;
  }

  static std::string arm_list() {
    std::vector<std::string> out;
    for (const PointArm& arm : cost_arms()) out.push_back(fmt::format("{} {}", out.size() + 1, arm.name));
    return join(out, "; ");
  }

  // Which of the two maps of the line the starts of each arm found.
  static std::string line_text(const Json& results) {
    std::vector<std::string> said;
    for (const Json& row : results.at("rows")) {
      if (row.at("problem") != "line") continue;
      int increasing = 0, all = 0;
      for (const Json& run : row.at("runs")) {
        if (!(run.at("miss") <= kMostMissed)) continue;
        ++all;
        increasing += run.at("increasing").get<bool>();
      }
      said.push_back(fmt::format("{} of {} ({})", increasing, all, row.at("arm").get<std::string>()));
    }
    return said.empty() ? ""
                        : "On the line the increasing map costs least, and the decreasing one is a solution "
                          "too. The increasing one was found by " +
                              join(said) + ".";
  }
};

}  // namespace

std::shared_ptr<const Experiment> cycle_cost() { return std::make_shared<CycleCost>(); }

}  // namespace torsor
