// S2-E2 on images: which solution a loss of transport cost picks, and what the audit says before and after.
#include <algorithm>

#include "core/text.h"
#include "experiment/cure_report.h"
#include "experiment/experiments.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

constexpr const char* kWithoutCost = "none";

const std::vector<double>& image_weights() {
  static const std::vector<double> weights = {0.01, 0.1, 1, 10, 100};
  return weights;
}

std::string arm_of_weight(double weight) { return fmt::format("cost-{:g}", weight); }

const std::vector<CureArm>& cost_arms() {
  static const std::vector<CureArm> arms = [] {
    std::vector<CureArm> out = {{kWithoutCost, "a CycleGAN without a loss of cost"}};
    for (const double weight : image_weights())
      out.push_back(
          {arm_of_weight(weight),
           fmt::format("the mean of (G(x) - x)^2 as a further loss, --lambda-transport {:g}", weight),
           false,
           {{"lambda_transport", weight}}});
    return out;
  }();
  return arms;
}

// Every weight where the property is a hue, of which two worlds share the runs; where contrast is inverted,
// at quick those that matter.
std::vector<CureCase> cost_cases(Scale scale) {
  std::vector<CureCase> out;
  const auto add = [&](const char* world, const std::vector<std::string>& names) {
    for (const CureCase& one : cases_of(world_named(world), cost_arms(), names)) out.push_back(one);
  };
  if (scale == Scale::smoke) {
    add("kept", {kWithoutCost, arm_of_weight(1)});
    return out;
  }
  add("kept", {});
  add("turned", {});
  if (scale == Scale::full)
    add("inverted", {});
  else
    add("inverted", {kWithoutCost, arm_of_weight(1), arm_of_weight(10)});
  return out;
}

bool shapes_pass(const Json& row) {
  const Json& runs = row.at("runs");
  return std::all_of(runs.begin(), runs.end(), [](const Json& run) {
    return std::min(run.at("pass_a_to_b").get<double>(), run.at("pass_b_to_a").get<double>()) >= kRightPass;
  });
}

// Weights at which every run is right where the hue is kept, and none where the truth is dear.
std::vector<std::string> misleading_weights(const Json& rows) {
  std::vector<std::string> out;
  for (const double weight : image_weights()) {
    const std::string arm = arm_of_weight(weight);
    const Json *kept = cure_row(rows, "kept", arm), *turned = cure_row(rows, "turned", arm),
               *inverted = cure_row(rows, "inverted", arm);
    if (kept == nullptr || turned == nullptr || !all_right(*kept) || !none_right(*turned)) continue;
    if (inverted == nullptr || none_right(*inverted)) out.push_back(arm);
  }
  return out;
}

class CostCures : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E2-images",
        .title = "a loss of transport cost on images: which solution it picks, and what the audit says",
        .plain =
            "Discs become squares by trainings that are told to change images as little as possible: the "
            "table shows that they keep the colours, also where another colour is the right one, and whether "
            "the audit notices.",
        .claim =
            "A loss of transport cost is to be studied (S2-E2). torsor's own: it picks the solution of least "
            "cost, which is the right one where the right one is cheap, and a wrong one where hues are to be "
            "turned or contrast is to be inverted.",
        .rule = fmt::format(
            "A run is right where the median error is at most {} and at least {:.0f} % of shapes pass, in "
            "both directions. agrees: no audit is green over a wrong run or without pairs, the runs without "
            "the loss are not all right where the hue is kept, and at some weight all are right there, none "
            "is where the hue is turned, and none where contrast is inverted. disagrees: some audit is green "
            "over a wrong run or without pairs, or at every weight where the shapes of all runs pass some "
            "run is wrong where the hue is kept. cannot tell: otherwise.",
            kRightError, 100 * kRightPass),
        .takes = {"20 s", "1 h", "4 h"},
        .seeds = {"0-1", "0-2", "0-4"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    std::vector<Setting> out = cure_settings(cure_scale(scale));
    out.push_back(cure_audits());
    for (const CureArm& arm : cost_arms()) out.push_back({"training \"" + arm.name + "\"", arm.what});
    return out;
  }

  Json measure(const Request& request) const override {
    const CureScale scale = cure_scale(request.scale);
    const std::vector<CureCase> cases = cost_cases(request.scale);
    train_cures(cases, scale, request);
    return {{"rows", measure_cures(cases, measure_cure, scale, request)}};
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    if (const auto green = green_over_wrong(rows)) return *green;
    const auto right = cases_where(rows, [](const Json& row) { return all_right(row); });
    const auto misleading = misleading_weights(rows);
    const Json& without = *cure_row(rows, "kept", kWithoutCost);
    const std::string numbers = fmt::format(
        "without the loss the runs are {} where the hue is kept; all runs are right in {}; right where the "
        "cheap translation is and wrong where it is not: {}; no audit is green over a wrong run",
        without.at("planted").get<std::string>(), right.empty() ? "no case" : join(right),
        misleading.empty() ? "no weight" : join(misleading));
    if (!some_weight_is_right(rows)) return {Verdict::disagrees, numbers};
    return {misleading.empty() || all_right(without) ? Verdict::cannot_tell : Verdict::agrees, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    const Json& rows = results.at("rows");
    page.drawing("weights", draw(weight_charts(rows)),
                 "Means over the runs and both directions. Left: without the loss.");
    present_cures(rows, cost_arms(), {cost_column()}, page);
  }

 private:
  // Or no weight leaves the shapes, so that nothing can be said.
  static bool some_weight_is_right(const Json& rows) {
    std::size_t usable = 0, right = 0;
    for (const Json& row : rows) {
      if (row.at("world") != "kept" || row.at("arm") == kWithoutCost || !shapes_pass(row)) continue;
      ++usable;
      right += all_right(row);
    }
    return usable == 0 || right > 0;
  }

  static double mean_of_runs(const Json& row, const std::string& key) {
    std::vector<double> values;
    for (const Json& run : row.at("runs"))
      for (const char* direction : {"_a_to_b", "_b_to_a"}) values.push_back(run.at(key + direction));
    return mean_interval(values).mean;
  }

  static ChartSheet weight_charts(const Json& rows) {
    ChartSheet sheet;
    for (const auto& [key, title] :
         {std::pair("error", "error"), std::pair("cost", "cost over that of the right translation"),
          std::pair("pass", "share of right shapes")}) {
      LineChart chart;
      chart.title = fmt::format("{} by the weight of the cost", title);
      chart.x = {"weight", AxisScale::log};
      chart.y.label = key;
      for (const World& world : worlds()) {
        Series series{world.name, {}, {}};
        const auto add = [&](double x, const std::string& arm) {
          const Json* row = cure_row(rows, world.name, arm);
          if (row == nullptr) return;
          series.x.push_back(x);
          series.y.push_back(mean_of_runs(*row, key));
        };
        add(image_weights().front() / 10, kWithoutCost);
        for (const double weight : image_weights()) add(weight, arm_of_weight(weight));
        if (!series.x.empty()) chart.series.push_back(std::move(series));
      }
      sheet.charts.push_back(std::move(chart));
    }
    return sheet;
  }
};

}  // namespace

std::shared_ptr<const Experiment> cost_cures() { return std::make_shared<CostCures>(); }

}  // namespace torsor
