// The alarms of a training, by name: each a pure function of the evidence.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "alarm/evidence.h"
#include "core/registry.h"

namespace torsor {

/// What an alarm has found.
struct AlarmFinding {
  std::string text;  // what is wrong, with its numbers
  double score = 0;  // on the wrong side of the threshold
  double threshold = 0;
};

struct Alarm {
  std::string advice;  // what to do about it, one line
  /// Looks in a row that must find it: a training may pass through what would be wrong if it stayed.
  std::int64_t looks = 0;
  std::optional<AlarmFinding> (*look)(const Evidence&) = nullptr;
};

/// non_finite, blank, collapse, saturated, inversion, no_op, border, hidden.
const Registry<Alarm>& alarms();

/// What each alarm finds, by its name. Of outputs that are not finite only non_finite says anything.
std::map<std::string, std::optional<AlarmFinding>> look_for_all(const Evidence& evidence);

}  // namespace torsor
