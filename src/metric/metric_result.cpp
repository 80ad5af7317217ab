#include "metric/metric_result.h"

#include <cmath>

namespace torsor {

Json json_number(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

Json MetricResult::json() const {
  Json out = Json::object();
  out["value"] = json_number(value);
  if (uncertainty.interval) {
    out["interval"] = Json::array({uncertainty.interval->low, uncertainty.interval->high});
    out["interval_method"] = uncertainty.method;
  } else {
    out["interval"] = nullptr;
    out["no_interval"] = uncertainty.none;
  }
  if (uncertainty.standard_error) out["standard_error"] = *uncertainty.standard_error;
  for (const auto& [key, detail] : details.items()) out[key] = detail;
  out["protocol"] = protocol;
  if (!warnings.empty()) out["warnings"] = warnings;
  return out;
}

}  // namespace torsor
