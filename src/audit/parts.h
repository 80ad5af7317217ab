// The parts of an audit: each measures something of the runs, and decides by a pure function of the numbers.
#pragma once

#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/finding.h"
#include "core/json.h"

namespace torsor {

/// Where a part looks at the lines of the verdict (AuditThresholds): in judge() alone, or in measure() too,
/// so that other lines need other numbers.
enum class LineUse { judging, measuring };

struct AuditPart {
  std::string name;   // its key in audit.json, and OUT/parts/<name>.json
  std::string title;  // its heading on the page
  std::string plain;  // one or two sentences for a stranger: what is asked, and why it matters
  /// Why it cannot be measured on these inputs, or "".
  std::string (*why_not)(const AuditMaterial& material);
  /// All numbers that judge() and the page need. Under "figures": pictures that it wrote, as write_figure()
  /// returns them; "tables": [{"caption", "header": [...], "rows": [[...]]}]; "curves": [{"title", "x", "y"
  /// (labels), "series": [{"name", "x": [...], "y": [...]}]}]; "rivals": see docs/audit.md. Throws
  /// StoppedError.
  Json (*measure)(AuditMaterial& material);
  /// `parts`: what each part that was measured gave, by name; this one's is among them.
  std::vector<AuditFinding> (*judge)(const Json& parts, const AuditThresholds& thresholds);
  LineUse lines = LineUse::judging;
};

/// All of them, in the order of the page.
const std::vector<AuditPart>& audit_parts();

// One maker a part; parts.cpp lists them.
AuditPart solution_part();      // is it a solution at all?
AuditPart seeds_part();         // A: do runs agree?
AuditPart symmetries_part();    // B: the battery
AuditPart equivariance_part();  // E
AuditPart honesty_part();       // F
AuditPart prevalence_part();    // G
AuditPart transport_part();     // H
AuditPart null_task_part();     // C
AuditPart search_part();        // D
AuditPart anchors_part();       // I
AuditPart acquire_part();       // which pair to acquire
AuditPart detection_part();     // the limit of detection

}  // namespace torsor
