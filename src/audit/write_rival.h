// A rival that one can hold: the strongest symmetry that is left, as a model file beside the run's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "audit/audit_material.h"
#include "core/json.h"

namespace torsor {

/// The id of the symmetry that is nearest to being a solution and differs most: of `parts`, as
/// AuditPart::judge() has them, those of parts["symmetries"]["rivals"] that are not excluded, whose answers
/// move by at least `matters`, and that pairs did not beat; one that is shown before one that is undecided,
/// then the larger displacement. Empty where none is left.
std::string strongest_rival(const Json& parts, const AuditThresholds& thresholds);

/// Writes folder/rival.safetensors: the file of the audited run with G o phi and phi^-1 o F (psi o G and
/// F o psi^-1 for a symmetry of B) in place of its generators, which translate, evaluate and audit take as
/// any model (nn/moved.h); folder/rival.png, inputs with both answers; and folder/rival.json, {"model",
/// "rival", "symmetry", "text", "losses": {term: {"model", "rival"}}, "kid": {direction: {"model", "rival"}}}
/// on at most 64 held-out images. Returns the model file. Throws Error where no rival is left, and for a
/// symmetry that is neither a move of pixels nor an affine change of their channels (gamma, a program of the
/// user's), or that has no inverse.
std::filesystem::path write_rival(const AuditMaterial& material, const Json& parts,
                                  const std::filesystem::path& folder);

}  // namespace torsor
