#include "audit/run_classes.h"

#include <algorithm>
#include <numeric>

#include "audit/estimate.h"
#include "audit/solution.h"

namespace torsor {

namespace {

// How far two runs are beyond the margins, by the least that is likely and by the value itself: above 0 they
// differ.
struct BeyondMargin {
  double low = 0, value = 0;
  bool is_local = false;
};

BeyondMargin beyond_margins(const Json& pair, const AuditThresholds& t) {
  const Estimate whole = Estimate::from(pair.at("excess")),
                 local = Estimate::from(pair.at("worst_patch_excess"));
  BeyondMargin out;
  out.is_local = local.value - t.local_margin > whole.value - t.difference_margin;
  out.low = std::max(whole.low() - t.difference_margin, local.low() - t.local_margin);
  out.value = std::max(whole.value - t.difference_margin, local.value - t.local_margin);
  if (!pair.contains("classes")) return out;
  const Json& classes = pair.at("classes");
  const double bound = classes.at("kept_by_own").get<double>() - t.difference_margin;
  out.low = std::max(out.low, bound - classes.at("kept_interval").at(1).get<double>());
  out.value = std::max(out.value, bound - classes.at("kept").get<double>());
  return out;
}

// The smaller place stands for a class; classes are joined until nothing changes.
std::vector<std::vector<std::size_t>> joined(const std::vector<std::size_t>& runs,
                                             const std::vector<std::pair<std::size_t, std::size_t>>& apart) {
  std::vector<std::vector<std::size_t>> classes;
  const auto differs = [&](std::size_t i, std::size_t j) {
    return std::any_of(apart.begin(), apart.end(), [&](const auto& pair) {
      return (pair.first == i && pair.second == j) || (pair.first == j && pair.second == i);
    });
  };
  for (const std::size_t run : runs) {
    const auto home = std::find_if(classes.begin(), classes.end(), [&](const auto& members) {
      return std::none_of(members.begin(), members.end(),
                          [&](std::size_t member) { return differs(run, member); });
    });
    if (home == classes.end())
      classes.push_back({run});
    else
      home->push_back(run);
  }
  return classes;
}

}  // namespace

RunClasses run_classes(const Json& parts, const AuditThresholds& thresholds) {
  const Json& seeds = parts.at("seeds");
  RunClasses out;
  for (std::size_t run = 0; run < seeds.at("runs").get<std::size_t>(); ++run)
    if (is_solution(parts, run, thresholds)) out.solutions.push_back(run);
  const auto counts = [&](const Json& run) {
    return std::find(out.solutions.begin(), out.solutions.end(), run.get<std::size_t>()) !=
           out.solutions.end();
  };
  std::vector<std::pair<std::size_t, std::size_t>> apart;
  double worst = 0;
  bool any = false;
  for (std::size_t k = 0; k < seeds.at("pairs").size(); ++k) {
    const Json& pair = seeds.at("pairs")[k];
    if (!counts(pair.at("i")) || !counts(pair.at("j"))) continue;
    const BeyondMargin beyond = beyond_margins(pair, thresholds);
    if (beyond.low > 0) out.differ = true;
    if (beyond.value > 0) {
      out.undecided = true;
      apart.emplace_back(pair.at("i"), pair.at("j"));
    }
    if (!any || beyond.low > worst) {
      worst = beyond.low;
      out.worst_pair = k;
      out.worst_is_local = beyond.is_local;
    }
    any = true;
  }
  out.undecided = out.undecided && !out.differ;
  out.classes = joined(out.solutions, apart);
  out.count = out.classes.size();
  return out;
}

std::vector<std::string> runs_shown_apart(const Json& parts, const AuditThresholds& thresholds) {
  if (!parts.contains("seeds")) return {};
  const Json& seeds = parts.at("seeds");
  std::vector<std::string> out;
  for (const Json& pair : seeds.at("pairs")) {
    const std::size_t i = pair.at("i"), j = pair.at("j");
    if ((i != 0 && j != 0) || beyond_margins(pair, thresholds).low <= 0) continue;
    const std::string name = seeds.at("names").at(std::max(i, j));
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

}  // namespace torsor
