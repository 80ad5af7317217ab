#include "evaluate/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "metric/metrics.h"

namespace torsor {

namespace {

using Entries = std::map<std::string, Json>;

// What a protocol says beside what has to be equal.
bool is_compared(const std::string& path) {
  return path != "torsor" && !path.ends_with("extractor.weights") && !path.ends_with("lpips.weights");
}

void flatten(const Json& value, const std::string& path, Entries& out) {
  if (!value.is_object()) {
    if (is_compared(path)) out[path] = value;
    return;
  }
  for (const auto& [key, inner] : value.items()) flatten(inner, path.empty() ? key : path + "." + key, out);
}

// The metrics of one evaluation: {"direction": {"metric": {...}}}.
std::map<std::string, Json> parts_of(const Json& evaluation) {
  std::map<std::string, Json> out;
  if (evaluation.contains("metrics")) out[""] = evaluation.at("metrics");
  if (evaluation.contains("directions"))
    for (const auto& [direction, part] : evaluation.at("directions").items())
      out[direction] = part.at("metrics");
  return out;
}

void require_evaluation(const Json& json, const std::string& name) {
  const bool is_one = json.is_object() && json.contains("protocol") && json.at("protocol").is_object() &&
                      (json.contains("metrics") || json.contains("directions"));
  if (!is_one) fail("{}: is no evaluation of torsor; give an evaluation.json", name);
}

std::string in_direction(const std::string& direction, const std::string& metric) {
  return direction.empty() ? metric : direction + " " + metric;
}

// The protocols of what both have: of the evaluation, of its directions, of its metrics.
Entries protocol_of(const Json& evaluation, const Json& other) {
  Entries out;
  flatten(evaluation.at("protocol"), "", out);
  const auto parts = parts_of(evaluation), others = parts_of(other);
  for (const auto& [direction, metrics] : parts) {
    const auto same = others.find(direction);
    if (same == others.end()) continue;
    if (!direction.empty()) flatten(evaluation.at("directions").at(direction).at("protocol"), direction, out);
    for (const auto& [metric, result] : metrics.items())
      if (same->second.contains(metric)) flatten(result.at("protocol"), in_direction(direction, metric), out);
  }
  return out;
}

std::string text_of(const Entries& entries, const std::string& key) {
  const auto found = entries.find(key);
  return found == entries.end() ? "nothing" : found->second.dump();
}

void require_one_protocol(const Entries& before, const Entries& after, const std::string& before_name,
                          const std::string& after_name) {
  constexpr std::ptrdiff_t kNamed = 3;
  std::vector<std::string> unlike;
  Entries all = before;
  all.insert(after.begin(), after.end());
  for (const auto& [key, value] : all)
    if (text_of(before, key) != text_of(after, key))
      unlike.push_back(fmt::format("{} is {} and {}", key, text_of(before, key), text_of(after, key)));
  if (unlike.empty()) return;
  const auto named = std::min(kNamed, std::ssize(unlike));
  fail("{} and {} cannot be compared, their protocols differ in {} {}: {}{}; evaluate both in the same way",
       before_name, after_name, unlike.size(), unlike.size() == 1 ? "entry" : "entries",
       join({unlike.begin(), unlike.begin() + named}, "; "), std::ssize(unlike) > kNamed ? "; ..." : "");
}

double number_of(const Json& value) {
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  return value.get<double>();
}

std::optional<Interval> interval_of(const Json& result) {
  const Json& interval = result.at("interval");
  if (!interval.is_array()) return std::nullopt;
  return Interval{interval.at(0).get<double>(), interval.at(1).get<double>()};
}

MetricChange change_of(const std::string& direction, const std::string& metric, const Json& before,
                       const Json& after) {
  MetricChange out{
      direction,          metric, number_of(before.at("value")), number_of(after.at("value")), std::nullopt,
      Change::no_interval};
  const auto one = interval_of(before), two = interval_of(after);
  if (!one || !two) return out;
  const double difference = out.after - out.before;
  out.difference = Interval{difference - std::hypot(out.after - two->low, one->high - out.before),
                            difference + std::hypot(two->high - out.after, out.before - one->low)};
  if (out.difference->low <= 0 && out.difference->high >= 0) {
    out.change = Change::within_interval;
  } else {
    const bool rises = difference > 0, wanted = metrics().at(metric).better == Better::higher;
    out.change = rises == wanted ? Change::better : Change::worse;
  }
  return out;
}

const char* name_of(Change change) {
  switch (change) {
    case Change::better:
      return "better";
    case Change::worse:
      return "worse";
    case Change::within_interval:
      return "within the interval";
    case Change::no_interval:
      break;
  }
  return "no interval";
}

void compare_parts(const Json& before, const Json& after, Comparison& out) {
  const auto parts = parts_of(before), others = parts_of(after);
  for (const auto& [direction, results] : parts) {
    const auto same = others.find(direction);
    for (const auto& [metric, result] : results.items()) {
      if (same == others.end() || !same->second.contains(metric))
        out.notes.push_back(in_direction(direction, metric) + " is in the older evaluation alone");
      else if (metrics().has(metric))
        out.changes.push_back(change_of(direction, metric, result, same->second.at(metric)));
    }
  }
}

}  // namespace

Comparison compare_evaluations(const Json& before, const std::string& before_name, const Json& after,
                               const std::string& after_name) {
  require_evaluation(before, before_name);
  require_evaluation(after, after_name);
  Comparison out;
  try {
    require_one_protocol(protocol_of(before, after), protocol_of(after, before), before_name, after_name);
    compare_parts(before, after, out);
    if (before.value("torsor", "") != after.value("torsor", ""))
      out.notes.push_back(fmt::format("the evaluations are of torsor {} and {}", before.value("torsor", "?"),
                                      after.value("torsor", "?")));
  } catch (const Json::exception& error) {
    fail("{} or {}: is a damaged evaluation: {}", before_name, after_name, json_reason(error));
  }
  if (out.changes.empty()) fail("{} and {} have no metric in common", before_name, after_name);
  return out;
}

Json comparison_json(const Comparison& comparison) {
  Json changes = Json::array();
  for (const MetricChange& c : comparison.changes)
    changes.push_back({{"direction", c.direction},
                       {"metric", c.metric},
                       {"before", json_number(c.before)},
                       {"after", json_number(c.after)},
                       {"difference", std::isfinite(c.after - c.before) ? Json(c.after - c.before) : Json()},
                       {"interval", c.difference ? Json{c.difference->low, c.difference->high} : Json()},
                       {"change", name_of(c.change)}});
  return {{"changes", changes}, {"notes", comparison.notes}};
}

std::string change_text(const MetricChange& c) {
  std::string out =
      fmt::format("{}: {:.4g} -> {:.4g}", in_direction(c.direction, c.metric), c.before, c.after);
  if (!c.difference) return out + "; no interval, so that nothing says whether the difference means anything";
  out += fmt::format(", difference {:+.3g} ({:+.3g} to {:+.3g}): ", c.after - c.before, c.difference->low,
                     c.difference->high);
  if (c.change == Change::within_interval) return out + "no larger than its interval";
  return out + name_of(c.change) + ", by more than its interval";
}

}  // namespace torsor
