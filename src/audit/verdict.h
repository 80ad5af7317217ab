// The verdict of an audit: a pure function of what its parts measured.
#pragma once

#include <string>
#include <vector>

#include "audit/finding.h"
#include "audit/parts.h"

namespace torsor {

struct AuditJudgement {
  AuditVerdict verdict = AuditVerdict::cannot_tell;
  std::string because;              // one sentence that names the findings that decide
  std::vector<std::string> needed;  // what it would take to say more
  std::vector<AuditFinding> findings;
};

/// `parts`: what was measured, by name. In this order: cannot tell, where no direction is shown to be a
/// solution; red, where a finding is; green, where evidence from outside the training is green and no finding
/// is amber or cannot tell; else amber. Nothing computed from unpaired images makes green.
AuditJudgement judge_audit(const Json& parts, const AuditThresholds& thresholds);

}  // namespace torsor
