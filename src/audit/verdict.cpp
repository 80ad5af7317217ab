#include "audit/verdict.h"

#include <algorithm>

#include "core/error.h"

namespace torsor {

namespace {

using Findings = std::vector<AuditFinding>;

constexpr std::size_t kNamedFindings = 3;  // in the sentence

bool some(const Findings& all, FindingRole role, AuditVerdict verdict) {
  return std::any_of(all.begin(), all.end(),
                     [&](const AuditFinding& f) { return f.role == role && f.verdict == verdict; });
}

bool has_role(const Findings& all, FindingRole role) {
  return std::any_of(all.begin(), all.end(), [&](const AuditFinding& f) { return f.role == role; });
}

AuditVerdict decided(const Findings& all) {
  using enum AuditVerdict;
  if (some(all, FindingRole::gate, cannot_tell)) return cannot_tell;
  if (some(all, FindingRole::lowers, red) || some(all, FindingRole::evidence, red)) return red;
  const bool evidence_is_green =
      has_role(all, FindingRole::evidence) && std::all_of(all.begin(), all.end(), [](const AuditFinding& f) {
        return f.role != FindingRole::evidence || f.verdict == green;
      });
  const bool lowered = some(all, FindingRole::lowers, amber) || some(all, FindingRole::lowers, cannot_tell);
  return evidence_is_green && !lowered ? green : amber;
}

// The findings that the verdict follows from.
bool decides(const AuditFinding& f, AuditVerdict verdict) {
  switch (verdict) {
    case AuditVerdict::cannot_tell:
      return f.role == FindingRole::gate && f.verdict == verdict;
    case AuditVerdict::red:
      return f.role != FindingRole::note && f.verdict == verdict;
    case AuditVerdict::green:
      return f.role == FindingRole::evidence;
    case AuditVerdict::amber:
      break;
  }
  return (f.role == FindingRole::lowers || f.role == FindingRole::evidence) &&
         (f.verdict == AuditVerdict::amber || f.verdict == AuditVerdict::cannot_tell);
}

// Whether what this finding needs would change the verdict: where there is no solution nothing else would,
// and what is open beside a red finding would not.
bool helps(const AuditFinding& f, AuditVerdict verdict) {
  if (verdict == AuditVerdict::cannot_tell) return f.role == FindingRole::gate;
  return verdict != AuditVerdict::red || decides(f, verdict);
}

std::string reason_of(const Findings& all, AuditVerdict verdict) {
  std::vector<std::string> titles;
  for (const AuditFinding& f : all)
    if (decides(f, verdict)) titles.push_back(f.title);
  if (titles.empty() && verdict == AuditVerdict::amber)
    return "Nothing speaks against this translator, and nothing from outside its training speaks for it: "
           "unpaired images alone cannot show that it is the right one.";
  const std::size_t named = std::min(kNamedFindings, titles.size());
  std::string list = join({titles.begin(), titles.begin() + static_cast<std::ptrdiff_t>(named)}, "; ");
  if (titles.size() > named) list += fmt::format("; and {} more", titles.size() - named);
  switch (verdict) {
    case AuditVerdict::cannot_tell:
      return fmt::format("There is no solution to audit: {}.", list);
    case AuditVerdict::red:
      return fmt::format("This translator is not to be trusted: {}.", list);
    case AuditVerdict::green:
      return fmt::format(
          "Evidence that training never saw prefers this translator to every rival that was "
          "found: {}.",
          list);
    case AuditVerdict::amber:
      break;
  }
  return fmt::format("This translator may be right or wrong: {}.", list);
}

}  // namespace

AuditJudgement judge_audit(const Json& parts, const AuditThresholds& thresholds) {
  AuditJudgement out;
  for (const AuditPart& part : audit_parts()) {
    if (!parts.contains(part.name)) continue;
    Findings found = part.judge(parts, thresholds);
    out.findings.insert(out.findings.end(), std::make_move_iterator(found.begin()),
                        std::make_move_iterator(found.end()));
  }
  out.verdict = decided(out.findings);
  out.because = reason_of(out.findings, out.verdict);
  for (const AuditFinding& f : out.findings)
    if (!f.needed.empty() && helps(f, out.verdict) &&
        std::find(out.needed.begin(), out.needed.end(), f.needed) == out.needed.end())
      out.needed.push_back(f.needed);
  if (out.verdict == AuditVerdict::amber && !has_role(out.findings, FindingRole::evidence))
    out.needed.insert(out.needed.begin(),
                      "held-out pairs that training never saw (--pairs-a, --pairs-b): no number of unpaired "
                      "images makes the verdict green");
  return out;
}

}  // namespace torsor
