// S2-E2: what a loss that enforces a cost of transport does, and whether it picks the right solution.
#include <algorithm>
#include <functional>
#include <limits>

#include "experiment/experiments.h"
#include "experiment/point_experiment.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr double kRightPoint = 0.1;  // error up to which a start is right
constexpr double kWrongPoint = 0.3;  // and from which it is wrong

constexpr const char* kAmbiguous = "ring to itself";

const std::vector<double>& cost_weights() {
  static const std::vector<double> weights = {0, 0.001, 0.01, 0.1, 1, 10};
  return weights;
}

std::string weight_arm(double weight) { return fmt::format("cost {:g}", weight); }

std::vector<PointArm> weight_arms() {
  std::vector<PointArm> out;
  for (const double weight : cost_weights()) {
    PointArm arm{
        weight_arm(weight),
        fmt::format("CycleGAN with the mean of (G(x) - x)^2, of weight {:g}, as a further loss", weight),
        {},
        0.2};
    arm.lambda_transport = weight;
    out.push_back(arm);
  }
  return out;
}

// The weights at which enough starts meet the target.
std::vector<const Json*> usable_rows(const Json& rows, const std::string& problem) {
  std::vector<const Json*> out;
  for (const Json& row : rows)
    if (row.at("problem") == problem && has_starts(row)) out.push_back(&row);
  return out;
}

bool all_of_values(const Json& row, const char* key, const std::function<bool(double)>& holds) {
  const std::vector<double> values = met_values(row, key);
  return !values.empty() && std::all_of(values.begin(), values.end(), holds);
}

bool right_where_kept(const Json& row) {
  return all_of_values(row, "error_kept", [](double e) { return e <= kRightPoint; });
}
bool wrong_where_turned(const Json& row) {
  return all_of_values(row, "error_turned", [](double e) { return e >= kWrongPoint; });
}

class CostWeight : public PointExperiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E2",
        .title = "a loss that enforces a cost of transport: what it lowers, and which solution it picks",
        .plain =
            "A training may ask that things move as little as possible: the page shows how much of that is "
            "too much, and "
            "that it finds the right answer where little movement is right, and the wrong one where it is "
            "not.",
        .claim =
            "A loss of transport cost is to be studied (S2-E2). torsor's own: it picks the solution of least "
            "cost, "
            "which is the right one where the right one is cheap, and a wrong one where it is dear.",
        .rule = fmt::format(
            "A ring is translated to itself; every turn is a solution. agrees: without the loss the starts "
            "that "
            "meet the target are not all right, and at some weight they are all right (error up to {0}) if "
            "the angle is to be kept and all wrong (from {1}) if it is to be turned by 120 degrees. "
            "disagrees: at "
            "every weight where {2} starts meet the target, some start is wrong where the angle is to be "
            "kept. "
            "cannot tell: otherwise.",
            kRightPoint, kWrongPoint, kLeastStarts),
        .takes = {"10 s", "10 min", "3 h"},
        .seeds = {"0", "0", "0"},
        .networks = true};
    return info;
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    const std::vector<const Json*> usable = usable_rows(rows, kAmbiguous);
    std::vector<std::string> picks;
    bool some_right = false;
    for (const Json* row : usable) {
      some_right = some_right || right_where_kept(*row);
      if (right_where_kept(*row) && wrong_where_turned(*row)) picks.push_back(row->at("arm"));
    }
    const Json& without = point_row(rows, kAmbiguous, weight_arm(0));
    const std::string numbers = fmt::format(
        "errors if the angle is kept: {} without the loss; all starts that meet the target are right at: {}; "
        "and "
        "wrong if it is turned: {}",
        mean_text(met_values(without, "error_kept")), picks.empty() ? "no weight" : join(picks),
        picks.empty() ? "-"
                      : mean_text(met_values(point_row(rows, kAmbiguous, picks.front()), "error_turned")));
    if (usable.empty()) return {Verdict::cannot_tell, "too few starts meet the target at any weight"};
    if (!some_right) return {Verdict::disagrees, numbers};
    const bool ambiguous = has_starts(without) && !right_where_kept(without);
    return {ambiguous && !picks.empty() ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    page.html().table(point_table(
        results.at("rows"),
        {{"miss", "miss"}, {"error_kept", "error if kept"}, {"error_turned", "error if turned"}}));
    page.drawing("weights", draw(weight_chart(results.at("rows"))),
                 "The mean cost and the mean miss of all starts, whether they meet the target or not. Left: "
                 "without the "
                 "loss.");
  }

 private:
  std::vector<PointArm> arms() const override { return weight_arms(); }
  std::vector<Setting> own_settings() const override {
    return {{"starts", "weights from N(0, 0.2^2) in the last layer of a block",
             "small ones begin near the identity, which is the cheapest map already"}};
  }

  std::vector<std::string> problems(Scale scale) const override {
    if (scale == Scale::smoke) return {kAmbiguous};
    return {kAmbiguous, "moons to ring"};
  }

  // The mean over all starts that have this number.
  static double mean_of(const Json& row, const char* key) {
    std::vector<double> values;
    for (const Json& run : row.at("runs"))
      if (run.at(key).is_number()) values.push_back(run.at(key));
    return values.empty() ? std::numeric_limits<double>::quiet_NaN() : mean_interval(values).mean;
  }

  static ChartSheet weight_chart(const Json& rows) {
    ChartSheet sheet;
    for (const char* key : {"gap", "miss"}) {
      LineChart chart;
      chart.title = fmt::format("{} by the weight of the cost", key);
      chart.x = {"weight", AxisScale::log};
      chart.y.label = key;
      for (const Json& first : rows) {
        if (first.at("arm") != weight_arm(0)) continue;
        const std::string problem = first.at("problem");
        Series series{problem, {}, {}};
        for (const double weight : cost_weights()) {
          series.x.push_back(weight > 0 ? weight : cost_weights()[1] / 10);
          series.y.push_back(mean_of(point_row(rows, problem, weight_arm(weight)), key));
        }
        chart.series.push_back(std::move(series));
      }
      sheet.charts.push_back(std::move(chart));
    }
    return sheet;
  }
};

}  // namespace

std::shared_ptr<const Experiment> cost_weight() { return std::make_shared<CostWeight>(); }

}  // namespace torsor
