// Which runs of an audit are one solution, and which are others.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "audit/audit_options.h"
#include "core/json.h"

namespace torsor {

/// A pure function of what the parts "solution" and "seeds" measured. Two runs differ where, in either
/// direction and whichever of them brings back, the lower limit of the excess over the whole image is above
/// `difference_margin`, or that in the worst patch above `local_margin`, or the classes of images change
/// (kept: upper limit below what the run's own way back keeps, less the margin). They are undecided where
/// only the values are above. Runs that are no solutions count for nothing.
struct RunClasses {
  std::vector<std::size_t> solutions;             // places of the runs that are solutions
  std::vector<std::vector<std::size_t>> classes;  // of runs that are joined by pairs that do not differ
  std::size_t count = 0;                          // of classes
  bool differ = false;                            // some two
  bool undecided = false;                         // some two, and none differ
  std::size_t worst_pair = 0;                     // in "pairs": that which differs most beyond its margin
  bool worst_is_local = false;                    // by its worst patch
};
RunClasses run_classes(const Json& parts, const AuditThresholds& thresholds);

/// Names of the runs that are shown to give another answer than the first, by the same lower limits, whether
/// they are solutions or not. Empty where the part "seeds" was not measured.
std::vector<std::string> runs_shown_apart(const Json& parts, const AuditThresholds& thresholds);

}  // namespace torsor
