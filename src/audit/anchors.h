// Part I between its files: the judgement of anchors, and the pictures of pairs.
#pragma once

#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/finding.h"
#include "core/json.h"

namespace torsor {

/// One finding for each kind of evidence and direction: "anchors-a_to_b" of pairs, "labels-a_to_b" of labels.
/// Pure; `parts` as AuditPart::judge() has them. In this order:
/// red: pairs (labels) prefer a rival and it takes away more than `correction_margin` of the error; one of
/// the battery's symmetries does, behind the answer; an affine change of colours takes away more than three
/// times as much; more than half of the pairs are wrong somewhere; amber: a rival is preferred by less, or
/// one image for all inputs is; a counted correction takes away more than the margin; a rival is not beaten;
/// too many pairs may be wrong; the run copies and copying is not right; too few groups for any of it; green:
/// none of these.
std::vector<AuditFinding> judge_anchors(const Json& parts, const AuditThresholds& thresholds);

/// The worst, the median and the best pair by the error over the whole image: input, answer, target, their
/// difference, and the answer of the rival that is nearest to the targets. As AuditMaterial::write_figure().
Json pair_figure(AuditMaterial& material, const Direction& direction, const Json& evidence);

}  // namespace torsor
