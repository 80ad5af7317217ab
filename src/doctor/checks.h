// The checks that a survey goes through, one file each.
#pragma once

#include "core/registry.h"
#include "doctor/finding.h"

namespace torsor {

/// In the order of the report.
const Registry<Check>& doctor_checks();

/// All findings of all checks: warnings first, each kind in the order of the checks.
std::vector<ImageFinding> findings_of(const Survey& survey);

}  // namespace torsor
