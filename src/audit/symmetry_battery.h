// The battery of symmetries of both domains: tested, and composed with the translators.
#pragma once

#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/symmetries.h"
#include "core/json.h"

namespace torsor {

/// A symmetry of one domain with what was measured of it.
struct BatteryEntry {
  std::string domain;
  Symmetry phi;
  Json measured;  // as "rivals" of measure_symmetries() has it
};

/// {"scale", "images" (that translators were composed on), "paired" (whether they are pairs), "plain":
/// {"loss", "psnr"}, "left_out" (terms of the objective that cannot be measured), "rivals": [entries that
/// were composed], "others": [those that were not], "classes" (exchangeable_classes(), null without labels),
/// "table_1" (null without pairs or flip), "tables", "figures"}. An entry: {"id" ("symmetry:a:hflip"),
/// "kind": "symmetry", "domain", "of" (the domain's name), "name", "text", "tests" (EquivalenceTests),
/// "tested_as" (the name of the map that was tested: the inverse where that came first), "automorphism",
/// then what SymmetryEffects::of() has}.
///
/// Cost at --scale quick: features of at most 4096 transformed images for the network extractor, beside those
/// of 128 a symmetry, and about 1536 images through each generator.
Json measure_symmetries(AuditMaterial& material);

/// "circles (A)", or "A" where the domain has no other name.
std::string domain_label(const AuditMaterial& material, const std::string& domain);

/// The tables of measure_symmetries()' other numbers: of the battery, of the losses, of the paper's Table 1,
/// of exchangeable classes.
Json symmetry_tables(const Json& measured);

}  // namespace torsor
