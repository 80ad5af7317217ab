// What the battery of symmetries says, in words.
#pragma once

#include <vector>

#include "audit/audit_options.h"
#include "audit/finding.h"
#include "core/json.h"

namespace torsor {

/// Of `parts["symmetries"]` (measure_symmetries()). A symmetry that is not excluded and moves translations by
/// more than thresholds.matters (lower limit) is amber: loss-ambiguous where it is shown to keep the
/// distribution, and where that is undecided with what would decide it. It is a note where pairs decide
/// between the run and it: `parts["anchors"]["beaten"]` lists its id. Hues with one outcome are one finding.
/// All others are one note.
std::vector<AuditFinding> judge_symmetries(const Json& parts, const AuditThresholds& thresholds);

}  // namespace torsor
