#include "audit/finding.h"

#include <array>
#include <utility>

#include "core/error.h"

namespace torsor {

namespace {

constexpr std::array<std::pair<AuditVerdict, const char*>, 4> kVerdictNames = {
    {{AuditVerdict::green, "green"},
     {AuditVerdict::amber, "amber"},
     {AuditVerdict::red, "red"},
     {AuditVerdict::cannot_tell, "cannot_tell"}}};

}  // namespace

std::string verdict_name(AuditVerdict verdict) {
  return kVerdictNames[static_cast<std::size_t>(verdict)].second;
}

AuditVerdict audit_verdict_named(const std::string& name) {
  for (const auto& [verdict, known] : kVerdictNames)
    if (name == known) return verdict;
  fail("no verdict of an audit: '{}' (one of red, amber, green, cannot_tell)", printable(name));
}

std::string role_name(FindingRole role) {
  switch (role) {
    case FindingRole::gate:
      return "gate";
    case FindingRole::lowers:
      return "lowers";
    case FindingRole::evidence:
      return "evidence";
    case FindingRole::note:
      break;
  }
  return "note";
}

Json AuditFinding::json() const {
  Json out = {{"id", id},       {"title", title},
              {"text", text},   {"role", role_name(role)},
              {"files", files}, {"verdict", verdict_name(verdict)}};
  out["value"] = nullptr;
  out["interval"] = nullptr;
  if (estimate) out.update(estimate->json());
  out["threshold"] = threshold ? Json(*threshold) : Json(nullptr);
  if (!needed.empty()) out["needed"] = needed;
  return out;
}

}  // namespace torsor
