// The corrected bound of Proposition 2.3 (S0-C4) on the loss of translators that a symmetry moved, by term.
#pragma once

#include <string>
#include <vector>

#include "audit/symmetries.h"
#include "core/json.h"
#include "model/objective.h"

namespace torsor {

/// The translators that act as another solution if phi keeps the distribution of `domain`: of a
/// (G o phi, phi^-1 o F), of b (phi o G, F o phi^-1), its mirror image. Discriminators stay. A direction that
/// is not there, or needs a way back that phi has not, is empty.
CycleMaps moved_maps(const CycleMaps& maps, const Symmetry& phi, const std::string& domain);

/// What the bound needs besides the loss.
struct BoundInputs {
  std::string domain;     // of the symmetry
  double constant = 1;    // Lipschitz: of phi^-1 for domain a, of phi for b (S0-C4 with A and B exchanged)
  double of_inputs = 0;   // E |phi - id| over the domain's images (of b: phi^-1), in the cycle norm
  double of_outputs = 0;  // E |phi^-1 - id| over what the other generator makes of them (of b: phi)
};

/// {"terms": {name: number or null}, "loss": number or null, "printed": number or null, "why_none"}. Of
/// weighted terms `loss` (MeasuredPair::loss) of the plain pair: adversarial ones stay, since a symmetry
/// leaves the divergences alone; the cycle of phi's domain grows at most by the constant, the other stays; an
/// identity term of the seed's form (source) grows at most by its weight times a distance above. "printed":
/// the paper's own form, which is no theorem unless F_* nu = mu. Null, with the reason under "why_none", for
/// l2, which is no norm, for an infinite constant, and for what the proposition does not treat: identity
/// terms of the reference's form (target) and transport costs.
Json corrected_bound(const std::vector<LossTerm>& terms, const Json& loss, const std::string& norm,
                     const BoundInputs& inputs);

/// Whether an identity term feeds a generator its own input domain (S0-Q3).
bool is_source_identity(const LossTerm& term);

}  // namespace torsor
