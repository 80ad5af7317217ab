// B: the battery of symmetries.
#include "audit/parts.h"
#include "audit/symmetry_battery.h"
#include "audit/symmetry_findings.h"

namespace torsor {

namespace {

// Some symmetry fits any images.
std::string why_no_symmetries(const AuditMaterial&) { return ""; }

}  // namespace

AuditPart symmetries_part() {
  return {"symmetries",
          "Symmetries of the data",
          "Images may look as usual after being mirrored, turned or recoloured. Then unpaired training "
          "cannot tell "
          "a right translator from one that mirrors, turns or recolours too, and this part says which such "
          "changes there are and how far they would move the translations.",
          why_no_symmetries,
          measure_symmetries,
          judge_symmetries,
          LineUse::measuring};
}

}  // namespace torsor
