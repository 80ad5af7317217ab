#include "audit/rival_standing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/paired_test.h"
#include "audit/rivals.h"

namespace torsor {

namespace {

bool rival_is_of(const std::string& id, const char* kind) { return id.starts_with(kind); }

RivalStanding standing_of(const Json& rival, double run_error, const std::vector<std::string>& excluded,
                          const AuditThresholds& t) {
  RivalStanding out;
  out.id = rival.at("id");
  out.text = rival.at("text");
  out.error = rival.at("error");
  out.displacement = rival.at("displacement");
  const double worst = rival.at("worst_displacement");
  out.improvement = run_error > 0 ? 1 - out.error / run_error : 0;
  // A run whose answers are one image for all has not beaten that.
  out.equivalent = out.id != kConstantRival && out.displacement < t.copy_share && worst < t.difference_margin;
  out.same_solution = rival_is_of(out.id, kRunRival) &&
                      out.displacement - rival.at("floor").get<double>() <= t.difference_margin &&
                      worst - rival.at("worst_floor").get<double>() <= t.local_margin;
  out.minor = rival_is_of(out.id, "symmetry:") && out.displacement < t.matters && worst < t.local_margin;
  out.excluded = std::find(excluded.begin(), excluded.end(), out.id) != excluded.end();
  return out;
}

bool rival_is_tested(const RivalStanding& s) { return !s.equivalent && !s.same_solution; }

// One test of a rival in one direction.
struct RivalTest {
  std::string direction;
  RivalStanding standing;
  double run_better = 1, rival_better = 1;
  double run_error = 0;
};

std::vector<RivalTest> rival_tests_of(const Json& anchors, const std::string& kind,
                                      const std::vector<std::string>& excluded,
                                      const AuditThresholds& thresholds) {
  std::vector<RivalTest> out;
  for (const auto& [direction, of] : anchors.at("directions").items()) {
    if (!of.contains(kind)) continue;
    const double run_error = of.at(kind).at("error").at("value");
    for (const Json& rival : of.at(kind).at("rivals"))
      out.push_back({direction, standing_of(rival, run_error, excluded, thresholds), rival.at("run_better"),
                     rival.at("rival_better"), run_error});
  }
  return out;
}

// Sets `decided` of those tests that `counts`, where their p, corrected for all of them, is below the level.
template <class Counts>
void decide_tests(std::vector<RivalTest>& tests, const Counts& counts, double RivalTest::*p,
                  bool RivalStanding::*decided) {
  std::vector<double> values;
  std::vector<RivalTest*> of;
  for (RivalTest& test : tests) {
    if (!counts(test.standing)) continue;
    values.push_back(test.*p);
    of.push_back(&test);
  }
  const std::vector<double> adjusted = holm_adjusted(values);
  for (std::size_t i = 0; i < of.size(); ++i) of[i]->standing.*decided = adjusted[i] < kTestLevel;
}

}  // namespace

Json tested_rivals(const at::Tensor& run_error, const std::vector<RivalErrors>& rivals,
                   const std::vector<std::int64_t>& groups, double scale, Rng& rng) {
  std::vector<at::Tensor> errors;
  for (const RivalErrors& rival : rivals) errors.push_back(rival.error);
  const PairedTests tests = paired_tests(run_error, errors, groups, rng);
  Json out = Json::array();
  for (std::size_t i = 0; i < rivals.size(); ++i)
    out.push_back({{"id", rivals[i].id},
                   {"text", rivals[i].text},
                   {"error", rivals[i].error.mean().item<double>() / scale},
                   {"displacement", rivals[i].displacement.whole},
                   {"worst_displacement", rivals[i].displacement.worst},
                   {"floor", rivals[i].floor.whole},
                   {"worst_floor", rivals[i].floor.worst},
                   {"run_better", tests.of[i].run_better},
                   {"rival_better", tests.of[i].rival_better}});
  return out;
}

std::vector<RivalStanding> rival_standings(const Json& anchors, const std::string& kind,
                                           const std::string& direction,
                                           const std::vector<std::string>& excluded,
                                           const AuditThresholds& thresholds) {
  std::vector<RivalTest> tests = rival_tests_of(anchors, kind, excluded, thresholds);
  decide_tests(
      tests, [](const RivalStanding& s) { return rival_is_tested(s) && !s.excluded; }, &RivalTest::run_better,
      &RivalStanding::beaten);
  decide_tests(tests, rival_is_tested, &RivalTest::rival_better, &RivalStanding::preferred);
  // The constant answer was found on other pairs: a run that is as constant can be a little better.
  for (RivalTest& test : tests)
    if (test.standing.id == kConstantRival)
      test.standing.beaten =
          test.standing.beaten && test.run_error < (1 - thresholds.correction_margin) * test.standing.error;
  std::vector<RivalStanding> out;
  for (RivalTest& test : tests)
    if (test.direction == direction) out.push_back(std::move(test.standing));
  return out;
}

std::vector<std::string> beaten_rivals(const Json& anchors, const std::vector<std::string>& excluded,
                                       const AuditThresholds& thresholds) {
  std::map<std::string, bool> all;  // whether beaten in each direction so far
  for (const auto& [direction, of] : anchors.at("directions").items()) {
    std::map<std::string, bool> here;
    for (const char* kind : {"pairs", "labels"})
      for (const RivalStanding& s : rival_standings(anchors, kind, direction, excluded, thresholds))
        if (rival_is_tested(s)) here[s.id] = here[s.id] || s.beaten;
    for (const auto& [id, beaten] : here) all[id] = (!all.contains(id) || all[id]) && beaten;
  }
  std::vector<std::string> out;
  for (const auto& [id, beaten] : all)
    if (beaten) out.push_back(id);
  return out;
}

}  // namespace torsor
