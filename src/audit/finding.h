// What an audit found: findings with a verdict of their own, and the verdict of all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/estimate.h"
#include "core/json.h"

namespace torsor {

/// In the order of precedence from the last: cannot_tell before red before amber before green.
enum class AuditVerdict { green, amber, red, cannot_tell };
std::string verdict_name(AuditVerdict verdict);
/// Throws Error for another name.
AuditVerdict audit_verdict_named(const std::string& name);

/// What a finding may do to the verdict of all.
enum class FindingRole {
  gate,      // a solution at all? its cannot_tell is the verdict's
  lowers,    // it can only lower the verdict
  evidence,  // from outside the training: the only kind that can make green
  note       // for the reader
};
std::string role_name(FindingRole role);

struct AuditFinding {
  std::string id;     // "seeds", "symmetry-hflip-a"
  std::string title;  // a few words
  std::string text;   // one or two sentences that a radiologist understands, with the number
  FindingRole role = FindingRole::lowers;
  AuditVerdict verdict = AuditVerdict::amber;
  std::optional<Estimate> estimate;
  std::optional<double> threshold;
  std::vector<std::string> files = {};  // figures, relative to OUT
  std::string needed = {};              // what it would take to say more; "" = nothing

  Json json() const;
};

}  // namespace torsor
