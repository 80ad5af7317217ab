// Is a run a solution of the problem at all? What an audit asks before anything else.
#pragma once

#include <string>

#include "audit/audit_options.h"
#include "core/json.h"

namespace torsor {

/// What of one direction of a run solution_part() measured, and whether it makes a solution of it: the KID of
/// its translations against held-out images is at most `solution_share` of the reference's (the untranslated
/// inputs or, where the domains coincide, blurred images of the target) and its upper limit lies below the
/// reference; it is no copy, unless the domains coincide; its cycle survives rounding and noise. "" where all
/// holds, else the reason in a clause ("..., which is ...").
std::string no_solution(const Json& direction, const AuditThresholds& thresholds);

/// Whether the run of this place is a solution in every direction that was measured; `parts` as judge() has
/// it. True where the part "solution" is not among them.
bool is_solution(const Json& parts, std::size_t run, const AuditThresholds& thresholds);

}  // namespace torsor
