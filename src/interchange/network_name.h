// What common names of networks say: netG_A, genA2B, G_BA, F, disA, D_Y.
#pragma once

#include <string>
#include <string_view>

namespace torsor {

/// What a name says of the domains. Letters are of a domain: the direction of "G_A" is a convention.
enum class NameSays {
  nothing,
  a_to_b,  // A2B, AB, AtoB; X and Y, S and T (source and target), 1to2 too
  b_to_a,
  letter_a,  // G_A, disA, D_X
  letter_b,
  g,  // G, netG, generator: the first of a paper's G and F
  f,
};

/// Of one part of a dotted name, as a generator's.
NameSays generator_name_says(std::string_view name);
/// As a discriminator's; `g` and `f` do not come.
NameSays discriminator_name_says(std::string_view name);

}  // namespace torsor
