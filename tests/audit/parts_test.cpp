// What all parts have in common.
#include "audit/parts.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "planted_material.h"
#include "planted_translators.h"

namespace torsor {
namespace {

using testing::planted_inputs;
using testing::planted_run;
using testing::true_a;
using testing::true_b;

// All numbers of the parts that look at the lines of the verdict in judge() alone.
Json measured_with(const AuditThresholds& lines) {
  testing::PlantedAudit audit;
  audit.inputs = planted_inputs({planted_run("true", true_b, true_a), planted_run("same", true_b, true_a)});
  audit.options.thresholds = lines;
  Json out = Json::object();
  for (const AuditPart& part : audit_parts())
    if (part.lines == LineUse::judging && part.why_not(audit.material()).empty())
      out[part.name] = part.measure(audit.material());
  return out;
}

// The numbers of a part are kept for other lines unless it says otherwise.
TEST(AuditParts, ThoseThatOnlyJudgeByTheLinesMeasureWithoutThem) {
  AuditThresholds others;
  others.solution_share = others.copy_share = others.cycle_share = 0.01;
  others.difference_margin = others.local_margin = others.matters = 0.9;
  others.automorphism = 1;
  others.null_margin = others.null_local_margin = others.correction_margin = 0.9;
  others.local_error = others.wrong_pairs = others.honesty_loss = 0.01;
  others.prevalence_moved = others.label_shortfall = others.label_power = others.rank_kept = 0.01;
  const Json found = measured_with(AuditThresholds());
  EXPECT_GE(found.size(), 5U);
  EXPECT_EQ(found, measured_with(others));
}

}  // namespace
}  // namespace torsor
