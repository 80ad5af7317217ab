// The other answers that a run has to be told from: of other runs, of symmetries, of copying.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/symmetries.h"

namespace torsor {

/// What the id of another run begins with.
inline constexpr const char* kRunRival = "run:";

/// The answers of no translator, which evidence adds: the targets of other pairs, and one image for all.
inline constexpr const char* kUnrelatedRival = "unrelated";
inline constexpr const char* kConstantRival = "constant";

/// One rival in one direction.
struct RivalAnswer {
  /// "run:NAME"; "symmetry:a:NAME" of (G o phi, phi^-1 o F), where phi moves images of A; "symmetry:b:NAME"
  /// of (psi o G, F o psi^-1), where psi moves images of B; "copy".
  std::string id;
  std::string text;  // for a reader: "the run seed 2", "mirrored left to right before translating"
  /// `x` [N,C,H,W] of direction.from, and what the audited run makes of them -> the rival's answers.
  std::function<at::Tensor(const at::Tensor& x, const at::Tensor& made)> answer;
  bool translates = false;  // whether answering takes passes through a generator
};

/// The symmetries of this audit that fit images of the domain.
std::vector<Symmetry> battery_of(const AuditMaterial& material, const std::string& domain);

/// All that are defined in this direction. A symmetry of the domain that is translated to answers without
/// another pass. Where a symmetry has no inverse, the map stands in its place: it keeps the distribution too.
/// The answers read `material`, which has to outlive them.
std::vector<RivalAnswer> rival_answers(const AuditMaterial& material, const Direction& direction);

/// The id of an entry of parts["symmetries"]["rivals"].
std::string rival_id(const Json& rival);

/// The ids of symmetries that the battery found to change the distribution: of `parts`, as AuditPart::judge()
/// has them. A symmetry that nobody tested is none of them.
std::vector<std::string> excluded_rivals(const Json& parts);

}  // namespace torsor
