// Translators of any kind under the automorphisms of their domains.
#pragma once

#include "loss/gan_loss.h"

namespace torsor {

/// G: A -> B and F: B -> A: networks, closed forms, compositions; [N,...] to [N,...].
struct Translators {
  TensorMapping a_to_b, b_to_a;
};

/// A map of A onto itself and its inverse.
struct Automorphism {
  TensorMapping map, inverse;
};

/// (G o phi, phi^-1 o F): of the same adversarial and cycle loss as (G, F) when phi preserves A's
/// distribution and distances (S0, Prop 2.1).
Translators moved(const Translators& pair, const Automorphism& phi);

}  // namespace torsor
