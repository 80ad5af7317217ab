// S0-C11, trained: what each cure leaves of the ambiguity, where its prior is true and where it is false.
#include <algorithm>
#include <atomic>

#include "core/parallel.h"
#include "experiment/cure_runs.h"
#include "experiment/experiments.h"

namespace torsor {

namespace {

bool all_right(const Json& row) { return row.at("planted") == "right"; }

const Json* row_of(const Json& results, const std::string& world, const std::string& arm) {
  for (const Json& row : results.at("rows"))
    if (row.at("world") == world && row.at("arm") == arm) return &row;
  return nullptr;
}

std::vector<std::string> cases_where(const Json& results, const std::function<bool(const Json&)>& holds) {
  std::vector<std::string> out;
  for (const Json& row : results.at("rows"))
    if (holds(row)) out.push_back(row.at("case"));
  return out;
}

bool is_green_over_wrong(const Json& row) {
  return row.at("without_pairs") == "green" ||
         (row.at("with_pairs") == "green" && !row.at("subject_right").get<bool>());
}

// Cures whose runs are all right where the hue is kept and none of whose runs is where the truth is another.
std::vector<std::string> priors(const Json& results) {
  std::vector<std::string> out;
  for (const CureArm& arm : cure_arms()) {
    const Json *true_prior = row_of(results, "kept", arm.name),
               *false_prior = row_of(results, "turned", arm.name);
    if (true_prior == nullptr || false_prior == nullptr || !all_right(*true_prior)) continue;
    const Json& runs = false_prior->at("runs");
    if (std::none_of(runs.begin(), runs.end(), [](const Json& run) { return run.at("right").get<bool>(); }))
      out.push_back(arm.name);
  }
  return out;
}

// Smallest and largest of the larger error of both directions.
std::string errors_text(const Json& row) {
  std::vector<std::string> out;
  for (const Json& run : row.at("runs"))
    out.push_back(fmt::format(
        "{:.2f}", std::max(run.at("error_a_to_b").get<double>(), run.at("error_b_to_a").get<double>())));
  return join(out);
}

std::string pass_text(const Json& row) {
  double least = 1;
  for (const Json& run : row.at("runs"))
    least = std::min({least, run.at("pass_a_to_b").get<double>(), run.at("pass_b_to_a").get<double>()});
  return fmt::format("{:.0f} %", 100 * least);
}

Table cure_table(const Json& results, const World& world) {
  Table table{{"cure", "the runs are", "error of each run", "agreement", "shapes", "without pairs",
               "with pairs", "step"},
              {},
              ""};
  for (const Json& row : results.at("rows")) {
    if (row.at("world") != world.name) continue;
    const std::string arm = row.at("arm");
    table.rows.push_back({arm, row.at("planted"), errors_text(row),
                          fmt::format("{:.2f}", row.at("agreement").get<double>()), pass_text(row),
                          row.at("without_pairs"), row.at("with_pairs"),
                          fmt::format("{:.2f}", results.at("step_cost").at(arm).get<double>())});
  }
  table.caption = fmt::format(
      "World \"{}\": {}. Errors: median distance of what the object shows from what is right, the larger of "
      "both "
      "directions; 1 is the farthest there is, and up to {} (a hue that is 20 degrees off) a run is right. "
      "Agreement: the largest such distance between two runs. Shapes: the least share of images with the "
      "right "
      "shape at its place on the right ground. Step: time of a step over that without a cure.",
      world.name, world.about, kRightError);
  return table;
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
    const CureScale s = cure_scale(scale);
    std::vector<Setting> out = {
        {"images",
         fmt::format("discs and squares of {0} x {0} pixels: {1} training images of either domain, {2} "
                     "tests, {3} held-out pairs",
                     kWorldSide, s.world.training, s.world.tests, s.world.pairs)},
        {"training",
         fmt::format("the lesson of the demonstration without an identity term, {} steps", s.steps)},
        {"audits", "of all seeds together, the first is judged; images are compared by pixels",
         "images are small, and nothing is to be downloaded"}};
    for (const World& world : worlds()) out.push_back({"world \"" + world.name + "\"", world.about});
    for (const CureArm& arm : cure_arms()) out.push_back({"cure \"" + arm.name + "\"", arm.what});
    return out;
  }

  Json measure(const Request& request) const override {
    const CureScale scale = cure_scale(request.scale);
    const std::vector<CureCase> cases = cure_cases(request.scale);
    train_cures(cases, scale, request);
    std::vector<Json> rows(cases.size());
    std::atomic<std::int64_t> done{0};
    in_parallel(cases.size(), request.stop, [&](std::size_t i) {
      rows[i] = measure_cure(cases[i], scale, request);
      request.log->progress("audits", ++done, std::ssize(cases));
    });
    check_stop(request.stop);
    return {{"rows", rows}, {"step_cost", measure_step_costs(cases, scale, request)}};
  }

  Finding judge(const Json& results) const override {
    const auto green = cases_where(results, is_green_over_wrong);
    if (!green.empty())
      return {Verdict::disagrees,
              fmt::format("an audit is green over a wrong run or without pairs: {}", join(green))};
    const Json& none = *row_of(results, "kept", "none");
    if (all_right(none)) return {Verdict::disagrees, "without a cure all runs are right"};
    const auto right = cases_where(results, all_right), believed = priors(results);
    const std::string numbers = fmt::format(
        "no audit of {} is green over a wrong run; without a cure the runs are {}; all runs are right in {}; "
        "right "
        "where the prior is true and wrong where it is false: {}",
        results.at("rows").size(), none.at("planted").get<std::string>(),
        right.empty() ? "no case" : join(right), believed.empty() ? "no cure" : join(believed));
    return {believed.empty() ? Verdict::cannot_tell : Verdict::agrees, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    for (const World& world : worlds()) {
      const bool shown = std::any_of(results.at("rows").begin(), results.at("rows").end(),
                                     [&](const Json& row) { return row.at("world") == world.name; });
      if (!shown) continue;
      page.html().subheading("World \"" + world.name + "\"");
      page.html().table(cure_table(results, world));
      for (const Json& row : results.at("rows"))
        if (row.at("world") == world.name)
          page.picture(row.at("case"), fmt::format("{}: inputs, what is right, the translations of each seed",
                                                   cure_arm(row.at("arm")).what));
    }
    Table errors{
        {"case", "error", "what the audit says"}, {}, "Every mistaken verdict, with the audit's reason."};
    for (const Json& row : results.at("rows"))
      if (const std::string error = row.at("error"); !error.empty())
        errors.rows.push_back(
            {row.at("case"), error,
             row.at(error.find("without pairs") == std::string::npos ? "because_with" : "because_without")});
    if (!errors.rows.empty()) page.html().table(errors);
  }
};

}  // namespace

std::shared_ptr<const Experiment> cures() { return std::make_shared<Cures>(); }

}  // namespace torsor
