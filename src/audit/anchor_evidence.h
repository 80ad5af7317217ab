// What held-out pairs and labels say of a run and its rivals, in numbers.
#pragma once

#include "audit/audit_material.h"
#include "audit/rivals.h"
#include "core/json.h"

namespace torsor {

/// Errors of a run's and its rivals' answers on pairs, in one direction. Errors are distances to the pair's
/// image as shares of that between unrelated images of the domain:
/// {"pairs", "groups", "error", "worst_error" (estimates), "rivals" (see tested_rivals()), "copies" (whether
/// the run copies its inputs), "corrections": [{"name", "text", "kind", "improvement" (estimate),
/// "taken_away"}], "wrong": {"share", "interval", "groups", "error_from"}, "shown": places of the worst, the
/// median and the best pair}. "wrong" counts pairs whose worst patch is off by more than `local_error`; its
/// interval is over groups. Beside rival_answers() the rivals are "unrelated" (targets of other pairs) and
/// "constant" (the median target of the other half of the groups, for all inputs). Throws Error naming the
/// run where its translations are not finite.
Json pair_evidence(AuditMaterial& material, const Direction& direction);

/// The same for labels, on the held-out images of direction.from that have one: an answer's error is 1 where
/// its class is not the input's. Without corrections; with "matrix" (counts, from class to class),
/// "permutation" (cycles of the best one), "accuracy" of the classifier on the answers' domain (1 where it is
/// not known), and the rival "labels:CYCLES", whose answers follow the best permutation, where that is not
/// the identity.
Json label_evidence(AuditMaterial& material, const Direction& direction);

/// Whether there are labels of the images that this direction translates.
bool has_label_evidence(const AuditMaterial& material, const Direction& direction);

/// The pairs that count: of a quick audit the first 128.
AuditPairs anchor_pairs(const AuditMaterial& material);

}  // namespace torsor
