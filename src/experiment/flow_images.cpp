// S2-E3 on images: one flow as the translator of both directions, beside CycleGANs.
#include <algorithm>

#include "core/text.h"
#include "experiment/cure_report.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

constexpr double kWeight = 1;         // of the cost
constexpr double kPassAllowed = 0.1;  // by which a flow's share of right shapes may be lower
constexpr std::int64_t kWide = 64;    // channels of a flow of about as many parameters as a ResNet

constexpr const char* kTwoResNets = "cyclegan";
constexpr const char* kJudgedFlow = "flow-8";
constexpr const char* kDirections[] = {"a_to_b", "b_to_a"};

// One generator, one discriminator, a cost. Where the settings of no cure name what it has not, the defaults.
CureArm image_flow(const std::string& name, const std::string& what, const Json& more) {
  Json settings = {{"model", "transport"},      {"net_g", "flow_2"},         {"lambda_transport", kWeight},
                   {"lambda_cycle_a", nullptr}, {"lambda_cycle_b", nullptr}, {"lambda_identity", nullptr},
                   {"init_type", nullptr},      {"upsample", nullptr}};
  settings.update(more);
  return {name, what, false, settings};
}

CureArm midpoint_flow(std::int64_t steps) {
  return image_flow(
      fmt::format("flow-{}", steps),
      fmt::format("one flow, a velocity of two blocks, {} midpoint steps; a discriminator of B, a cost of "
                  "weight {}, no cycle loss",
                  steps, kWeight),
      {{"flow_steps", steps}, {"flow_solver", "midpoint"}});
}

const std::vector<CureArm>& image_flow_arms() {
  static const std::vector<CureArm> arms = [] {
    const Json cost = {{"lambda_transport", kWeight}};
    std::vector<CureArm> out = {
        {kTwoResNets, fmt::format("CycleGAN of two ResNets, cycle loss and a cost of weight {}", kWeight),
         false, cost},
        {"cyclegan-twice", "the same, trained for twice as many steps", false, cost, 2}};
    for (const std::int64_t steps : {1, 2, 4, 8, 16, 32}) out.push_back(midpoint_flow(steps));
    const auto add = [&](const std::string& name, const std::string& what, const std::string& solver,
                         std::int64_t steps, Json more) {
      more.update({{"flow_solver", solver}, {"flow_steps", steps}});
      out.push_back(image_flow(name, what, more));
    };
    add("flow-euler", "eight Euler steps, as many evaluations as flow-4", "euler", 8, Json::object());
    add("flow-rk4", "two steps of rk4, as many evaluations as flow-4", "rk4", 2, Json::object());
    add("flow-own", "flow-8, each step with a velocity of its own", "midpoint", 8, {{"flow_blocks", "own"}});
    add("flow-wide", fmt::format("flow-2 with {} channels", kWide), "midpoint", 2, {{"ngf", kWide}});
    add("flow-reverse", "flow-4 with a discriminator of A that judges the way back", "midpoint", 4,
        {{"reverse_gan", 1.0}});
    return out;
  }();
  return arms;
}

std::vector<CureCase> flow_cases(Scale scale) {
  std::vector<std::string> names;
  if (scale == Scale::smoke) names = {kTwoResNets, kJudgedFlow};
  if (scale == Scale::quick)
    names = {kTwoResNets,  "cyclegan-twice", "flow-2",    "flow-4",      kJudgedFlow,
             "flow-euler", "flow-own",       "flow-wide", "flow-reverse"};
  return cases_of(world_named("kept"), image_flow_arms(), names);
}

double mean_pass(const Json& row, const std::string& direction) {
  double sum = 0;
  for (const Json& run : row.at("runs")) sum += run.at("pass_" + direction).get<double>();
  return sum / static_cast<double>(row.at("runs").size());
}

std::string passes_text(const Json& row) {
  return fmt::format("{:.0f} and {:.0f} %", 100 * mean_pass(row, "a_to_b"), 100 * mean_pass(row, "b_to_a"));
}

class FlowImages : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S2-E3-images",
        .title = "one flow as the translator of both directions of images, beside CycleGANs",
        .plain =
            "Discs become squares by a current that carries pixels along, and squares become discs by the "
            "same current run backwards: the page shows how well, beside the usual pair of networks.",
        .claim =
            "An ODE solver makes a new model: a flow, trained by a discriminator and a cost of transport, "
            "needs neither an inverse network nor a cycle loss.",
        .rule = fmt::format(
            "Shares of held-out images with the right shape at its place on the right ground, means over the "
            "seeds. agrees: of {0} they are in both directions at most {2:.0f} points below those of {1}. "
            "disagrees: in some direction where {1} has at least {3:.0f} %, {0} has less. cannot tell: "
            "otherwise.",
            kJudgedFlow, kTwoResNets, 100 * kPassAllowed, 100 * kRightPass),
        .takes = {"20 s", "40 min", "10 h"},
        .seeds = {"0", "0-1", "0-4"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    const CureScale s = cure_scale(scale);
    std::vector<Setting> out = cure_settings(s);
    out.push_back({"channels", fmt::format("{} of generators, {} of discriminators", s.ngf, s.ndf),
                   "a flow works at the image's full size, so at equal channels it has fewer parameters and "
                   "takes longer than a ResNet; the table has both"});
    for (const CureArm& arm : image_flow_arms()) out.push_back({"training \"" + arm.name + "\"", arm.what});
    return out;
  }

  Json measure(const Request& request) const override {
    const CureScale scale = cure_scale(request.scale);
    const std::vector<CureCase> cases = flow_cases(request.scale);
    train_cures(cases, scale, request);
    return {{"rows", measure_cures(cases, measure_cure_runs, scale, request)},
            {"step_cost", measure_step_costs(cases, scale, request)}};
  }

  Finding judge(const Json& results) const override {
    const Json& rows = results.at("rows");
    const Json &flow = *cure_row(rows, "kept", kJudgedFlow), &cycle = *cure_row(rows, "kept", kTwoResNets);
    bool fine = true, worse = false;
    for (const char* direction : kDirections) {
      const double of_flow = mean_pass(flow, direction), of_cycle = mean_pass(cycle, direction);
      fine = fine && of_cycle >= kRightPass && of_flow >= of_cycle - kPassAllowed;
      worse = worse || (of_cycle >= kRightPass && of_flow < kRightPass);
    }
    std::vector<std::string> said;
    for (const Json& row : rows)
      said.push_back(fmt::format("{} {}", row.at("arm").get<std::string>(), passes_text(row)));
    const std::string numbers = "right shapes of a_to_b and b_to_a: " + join(said, "; ");
    if (worse) return {Verdict::disagrees, numbers};
    return {fine ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    const auto number = [](const Json& row, const char* key) { return row.at("runs").at(0).at(key); };
    present_cures(
        results.at("rows"), image_flow_arms(),
        {{"right shapes", "Right shapes: means over the seeds, a_to_b and b_to_a.", passes_text},
         cost_column(),
         {"there and back", "There and back: mean |x - x'| over images of A, the first seed.",
          [&](const Json& row) { return fmt::format("{:.3f}", number(row, "cycle_a_to_b").get<double>()); }},
         {"parameters", "Parameters: of all generators.",
          [&](const Json& row) { return with_thousands(number(row, "parameters").get<std::int64_t>()); }},
         step_column(results.at("step_cost"), std::string("of ") + kTwoResNets)},
        page);
  }
};

}  // namespace

std::shared_ptr<const Experiment> flow_images() { return std::make_shared<FlowImages>(); }

}  // namespace torsor
