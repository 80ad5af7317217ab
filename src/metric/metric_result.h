// A number that can be compared: with its interval, and what it depends on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "metric/statistics.h"

namespace torsor {

/// A 95 % interval, or the reason why there is none.
struct MetricInterval {
  std::optional<Interval> interval;
  std::optional<double> standard_error;
  std::string method;  // "bootstrap" or "jackknife", of how many resamples or units
  std::string none;    // why there is no interval; "" where there is one
};

struct MetricResult {
  double value = 0;  // may be infinite (PSNR of equal images)
  MetricInterval uncertainty;
  Json protocol = Json::object();     // what has to be equal for values to be comparable
  Json details = Json::object();      // further numbers
  std::vector<std::string> warnings;  // one line each

  /// {"value", "interval": [low, high] or null, "no_interval" where it is null, "standard_error" and
  /// "interval_method" where there is one, "protocol", then the details, "warnings" where there are any}.
  Json json() const;
};

/// Infinite numbers as "inf" and "-inf", which JSON has no numbers for.
Json json_number(double value);

}  // namespace torsor
