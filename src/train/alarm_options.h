// When a training looks for signs that it goes wrong, and what it does then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace torsor {

struct AlarmOptions {
  std::int64_t alarm_every = 200;
  std::string stop_on;

  void describe(OptionSet& o);
  /// Throws UsageError for what does nothing without alarm_every.
  void validate() const;

  bool is_on() const { return alarm_every > 0; }
  /// The names in stop_on.
  std::vector<std::string> stops() const;
};

}  // namespace torsor
