// The audit's verdicts on translators whose truth is known.

#include <atomic>
#include <cmath>
#include <map>
#include <set>

#include "core/parallel.h"
#include "experiment/battery.h"
#include "experiment/experiments.h"
#include "metric/feature_extractor.h"
#include "metric/statistics.h"

namespace torsor {

namespace {

// With no event in n tasks, the share that is excluded with 95 % confidence.
double upper_limit_of_none(std::int64_t tasks) { return 1 - std::pow(0.05, 1.0 / double(tasks)); }

BatterySize battery_size(Scale scale) {
  if (scale == Scale::smoke) return {60, 0, 40};
  return {};
}

// At smoke every fourth: seconds.
std::vector<const BatteryTask*> tasks_at(Scale scale) {
  constexpr std::size_t kEvery = 4;
  std::vector<const BatteryTask*> out;
  for (std::size_t i = 0; i < battery_tasks().size(); ++i)
    if (scale != Scale::smoke || i % kEvery == 1) out.push_back(&battery_tasks()[i]);
  return out;
}

// Three of five runs.
std::vector<std::array<std::size_t, 3>> triples_at(Scale scale) {
  const auto all = battery_triples();
  if (scale == Scale::full) return all;
  return scale == Scale::quick ? std::vector{all.front(), all.back()} : std::vector{all.front()};
}

bool is_reported(const Json& row) { return !row.at("tunes").get<bool>(); }

struct BatteryCounts {
  std::set<std::string> tasks, green_over_wrong;  // of the tasks that are reported
  std::map<std::string, std::int64_t> errors;
  std::int64_t audits = 0;
};

BatteryCounts counted(const Json& results) {
  BatteryCounts out;
  for (const Json& row : results.at("rows")) {
    if (!is_reported(row)) continue;
    ++out.audits;
    out.tasks.insert(row.at("task"));
    const std::string error = row.at("error");
    if (!error.empty()) ++out.errors[error];
    if (error.starts_with("green")) out.green_over_wrong.insert(row.at("task"));
  }
  return out;
}

// "10 red", "7 red, 3 amber".
std::string verdicts_text(const std::map<std::string, std::int64_t>& counts) {
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : counts) parts.push_back(fmt::format("{} {}", count, verdict));
  return join(parts);
}

Table battery_table(const Json& results) {
  Table table{{"task", "what its runs are", "audits", "without pairs", "with pairs", "errors"}, {}, ""};
  for (const BatteryTask& task : battery_tasks()) {
    std::map<std::string, std::map<std::string, std::int64_t>> without, with, errors;
    std::map<std::string, std::int64_t> audits;
    for (const Json& row : results.at("rows")) {
      if (row.at("task") != task.name) continue;
      const std::string planted = row.at("planted");
      ++audits[planted];
      ++without[planted][row.at("without_pairs")];
      ++with[planted][row.at("with_pairs")];
      if (const std::string error = row.at("error"); !error.empty()) ++errors[planted][error];
    }
    for (const auto& [planted, count] : audits)
      table.rows.push_back({task.name + (task.tunes ? " (thresholds)" : ""), planted, std::to_string(count),
                            verdicts_text(without[planted]), verdicts_text(with[planted]),
                            verdicts_text(errors[planted])});
  }
  table.caption =
      "Audits of three of five runs, the first of which is judged. right: all three are; wrong: all three "
      "agree on another solution; split: they do not agree. Rules and thresholds were chosen on the tasks "
      "that say so; "
      "these count for no rate.";
  return table;
}

class AuditBattery : public Experiment {
 public:
  const ExperimentInfo& info() const override {
    static const ExperimentInfo info = {
        .id = "audit-battery",
        .title = "verdicts of the audit on translators whose truth is known",
        .plain =
            "Translators that are right, or wrong in a known way, are audited by torsor audit: the table "
            "shows how often its verdict is mistaken.",
        .claim =
            "torsor's own: an audit never calls a wrong translator trustworthy, and with pairs it tells "
            "right from wrong ones.",
        .rule =
            "agrees: no audit is green over a wrong run or without pairs, and at most one in ten audits "
            "has another error. disagrees: some audit is green over a wrong run. cannot tell: otherwise.",
        .takes = {"5 s", "2 min", "7 min"}};
    return info;
  }

  std::vector<Setting> setup(Scale scale) const override {
    const BatterySize size = battery_size(scale);
    return {
        {"tasks", fmt::format("{}, with images of {} pixels", battery_tasks().size(), kBatterySide)},
        {"runs", fmt::format("{} of each task: the truth composed with a known automorphism, with a little "
                             "blur and a faint pattern of their own",
                             kBatteryRuns)},
        {"audits", fmt::format("{} of the ten choices of three runs", triples_at(scale).size())},
        {"images", fmt::format("{} of each domain, {} training images, {} pairs", size.images, size.training,
                               size.pairs)},
        {"features", "pixels", "images are small, and nothing is to be downloaded"}};
  }

  Json measure(const Request& request) const override {
    const auto triples = triples_at(request.scale);
    FeatureOptions features;
    features.features = "pixels";
    const std::shared_ptr<const FeatureExtractor> extractor = make_extractor(features, c10::kCPU);
    const auto tasks = tasks_at(request.scale);
    std::vector<Json> rows(tasks.size() * triples.size());
    std::atomic<std::int64_t> done{0};
    in_parallel(rows.size(), request.stop, [&](std::size_t i) {
      const BatteryTask& task = *tasks[i / triples.size()];
      const auto& runs = triples[i % triples.size()];
      const auto out =
          request.out / "audits" / fmt::format("{}-{}{}{}", task.name, runs[0], runs[1], runs[2]);
      rows[i] = audit_planted(task, runs, battery_size(request.scale), extractor, out,
                              std::make_shared<NullLog>(), request.stop);
      rows[i]["error"] = battery_error(rows[i]);
      rows[i]["tunes"] = task.tunes;
      request.log->progress("audits", ++done, std::ssize(rows));
    });
    check_stop(request.stop);
    return {{"rows", rows}};
  }

  Finding judge(const Json& results) const override {
    const BatteryCounts c = counted(results);
    std::int64_t others = 0;
    for (const auto& [error, count] : c.errors) others += count;
    const auto tasks = std::ssize(c.tasks), green = std::ssize(c.green_over_wrong);
    if (green > 0)
      return {Verdict::disagrees,
              fmt::format("in {} of {} tasks an audit is green over a wrong run: {}", green, tasks,
                          join({c.green_over_wrong.begin(), c.green_over_wrong.end()}))};
    const std::string numbers = fmt::format(
        "no audit of {} in {} tasks is green over a wrong run: with 95 % confidence the share of such tasks "
        "is "
        "below {:.0f} %; {} audits have another error",
        c.audits, tasks, 100 * upper_limit_of_none(tasks), others);
    return {10 * others <= c.audits ? Verdict::agrees : Verdict::cannot_tell, numbers};
  }

  void present(const Json& results, ReproductionPage& page) const override {
    page.html().table(battery_table(results));
    Table errors{
        {"task", "runs", "error", "what the audit says"}, {}, "Every error, with the audit's reason."};
    for (const Json& row : results.at("rows")) {
      const std::string error = row.at("error");
      if (error.empty()) continue;
      errors.rows.push_back(
          {row.at("task"), row.at("runs").dump(), error,
           row.at(error.find("with pairs") != std::string::npos || error == "green over a wrong run"
                      ? "because_with"
                      : "because_without")});
    }
    if (!errors.rows.empty()) page.html().table(errors);
  }
};

}  // namespace

std::shared_ptr<const Experiment> audit_battery() { return std::make_shared<AuditBattery>(); }

}  // namespace torsor
