#include "audit/estimate.h"

#include <ATen/ATen.h>

#include <limits>
#include <map>
#include <stdexcept>

#include "core/error.h"
#include "metric/bootstrap.h"
#include "metric/unit_pairs.h"

namespace torsor {

namespace {

// Groups numbered without gaps.
SampleGroups groups_of_rows(const std::vector<std::int64_t>& groups) {
  SampleGroups out;
  std::map<std::int64_t, std::int64_t> ids;
  for (const std::int64_t group : groups)
    out.real.push_back(ids.emplace(group, std::ssize(ids)).first->second);
  out.count = std::ssize(ids);
  return out;
}

}  // namespace

double Estimate::low() const { return interval ? interval->low : -std::numeric_limits<double>::infinity(); }

double Estimate::high() const { return interval ? interval->high : std::numeric_limits<double>::infinity(); }

std::string Estimate::text() const {
  return interval ? fmt::format("{:.3g} ({:.3g} to {:.3g})", value, interval->low, interval->high)
                  : fmt::format("{:.3g}", value);
}

Json Estimate::json() const {
  Json out = {{"value", json_number(value)}};
  out["interval"] = interval ? Json{json_number(interval->low), json_number(interval->high)} : Json(nullptr);
  if (!interval) out["no_interval"] = no_interval;
  return out;
}

Estimate Estimate::from(const Json& json) {
  Estimate out;
  out.value = json.at("value").get<double>();
  const Json& interval = json.at("interval");
  if (interval.is_null())
    out.no_interval = json.at("no_interval").get<std::string>();
  else
    out.interval = Interval{interval.at(0).get<double>(), interval.at(1).get<double>()};
  return out;
}

Estimate Estimate::of(const MetricResult& result) {
  return {result.value, result.uncertainty.interval, result.uncertainty.none};
}

Estimate mean_estimate(const at::Tensor& values, const std::vector<std::int64_t>& groups, double scale,
                       std::int64_t resamples, Rng& rng) {
  if (values.numel() != std::ssize(groups) || groups.empty())
    throw std::logic_error("an estimate needs a group for each value");
  const at::Tensor rows = values.to(at::kDouble).flatten();
  const ResamplingUnits units = resampling_units(groups_of_rows(groups), kMostUnits, rng);
  const at::Tensor sums = at::bincount(units.real, rows, units.count),
                   counts = at::bincount(units.real, {}, units.count).to(at::kDouble);
  const auto mean = [&](const at::Tensor& weights) {
    return at::mv(weights, sums) / at::mv(weights, counts) / scale;
  };
  const MetricInterval around = bootstrap_interval(units, resamples, rng, mean);
  return {rows.mean().item<double>() / scale, around.interval, around.none};
}

}  // namespace torsor
