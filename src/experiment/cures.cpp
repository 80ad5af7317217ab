// S0-C11, trained: what each cure leaves of the ambiguity, where its prior is true and where it is false.
#include <algorithm>

#include "experiment/cure_report.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

// Cures whose runs are all right where the hue is kept and none of whose runs is where the truth is another.
std::vector<std::string> priors(const Json& results) {
  std::vector<std::string> out;
  for (const CureArm& arm : cure_arms()) {
    const Json *true_prior = cure_row(results.at("rows"), "kept", arm.name),
               *false_prior = cure_row(results.at("rows"), "turned", arm.name);
    if (true_prior == nullptr || false_prior == nullptr) continue;
    if (all_right(*true_prior) && none_right(*false_prior)) out.push_back(arm.name);
  }
  return out;
}

class Cures : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "S0-C11-trained",
        .title = "cures against ambiguity, where their priors are true and where they are false",
        .plain =
            "Discs become squares, and nothing in the losses says of which colour: the table shows which "
            "additions to the training make it the right one, what happens where such an addition believes "
            "something false, and whether the audit notices.",
        .claim =
            "A code of what must not change leaves only the automorphisms that keep the code (the paper's "
            "remark on "
            "MISO). torsor's own: a cure is worth what its prior is worth, and no audit calls a run "
            "trustworthy that a false prior has made wrong.",
        .rule = fmt::format("A run is right where the median error is at most {} and at least {:.0f} % of "
                            "shapes pass, in both "
                            "directions. agrees: no audit is green over a wrong run or without pairs, the "
                            "runs without a cure "
                            "are not all right where the hue is kept, and the runs of some cure are all "
                            "right there and all wrong "
                            "where the hue is turned. disagrees: some audit is green over a wrong run or "
                            "without pairs, or the runs "
                            "without a cure are all right. cannot tell: otherwise.",
                            kRightError, 100 * kRightPass),
        .takes = {"20 s", "2 h", "3 h"},
        .seeds = {"0-1", "0-2", "0-4"},
        .networks = true};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    std::vector<Setting> out = cure_settings(cure_scale(scale));
    out.push_back(cure_audits());
    for (const CureArm& arm : cure_arms()) out.push_back({"cure \"" + arm.name + "\"", arm.what});
    return out;
  }

  Json measure(const Request& request) const override {
    const CureScale scale = cure_scale(request.scale);
    const std::vector<CureCase> cases = cure_cases(request.scale);
    train_cures(cases, scale, request);
    return {{"rows", measure_cures(cases, measure_cure, scale, request)},
            {"step_cost", measure_step_costs(cases, scale, request)}};
  }

  Finding judge(const Json& results) const override {
    if (const auto green = green_over_wrong(results.at("rows"))) return *green;
    const Json& none = *cure_row(results.at("rows"), "kept", "none");
    if (all_right(none)) return {Verdict::disagrees, "without a cure all runs are right"};
    const auto right = cases_where(results.at("rows"), all_right), believed = priors(results);
    const std::string numbers = fmt::format(
        "no audit of {} is green over a wrong run; without a cure the runs are {}; all runs are right in {}; "
        "right "
        "where the prior is true and wrong where it is false: {}",
        results.at("rows").size(), none.at("planted").get<std::string>(),
        right.empty() ? "no case" : join(right), believed.empty() ? "no cure" : join(believed));
    return {believed.empty() ? Verdict::cannot_tell : Verdict::agrees, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    present_cures(results.at("rows"), cure_arms(), {step_column(results.at("step_cost"), "without a cure")},
                  page);
  }
};

}  // namespace

std::shared_ptr<const Experiment> cures() { return std::make_shared<Cures>(); }

}  // namespace torsor
