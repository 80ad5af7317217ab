// The choice among the networks in a file, and their names in torsor.
#pragma once

#include <string>
#include <vector>

#include "interchange/network_search.h"

namespace torsor {

/// A network under the name that torsor has for it: g_a_to_b, g_b_to_a, g (of no known direction), d_a, d_b,
/// d.
struct PickedNetwork {
  std::string name;
  FoundNetwork found;
};

struct Pick {
  std::vector<PickedNetwork> networks;  // generators first
  std::vector<std::string> notes;       // what was left out, and why
};

/// Those that `wanted` (--network) names, by a whole dotted name or the end of one: a network, or all below
/// that name; "" = all. Throws UsageError naming `source`, which lists what there is.
std::vector<FoundNetwork> networks_named(const std::string& wanted, std::vector<FoundNetwork> found,
                                         const std::string& source);

/// The generators and their discriminators. The direction of a lone generator is that of its name or of
/// `role` (the reference's G_A, D_B, ... by the file's name; "" = unknown). Two generators are a pair where
/// their names say so: genA2B and genB2A, G_AB and G_BA, netG_A and netG_B (A to B and B to A, as the
/// reference has it), G and F. A discriminator named by a letter is that of the output of the reference's
/// generator of that letter where the generators are named by letters, else that of the domain of its letter;
/// one whose domain is not clear is left out. Where nothing is known all are kept, for a better message.
/// Throws Error naming `source` for generators that make no pair.
Pick pick_networks(std::vector<FoundNetwork> found, const std::string& role, const std::string& source);

/// Whether a generator's own name, else its file's `role`, states its direction, as genA2B and G_AB do; G_A
/// does by convention only.
bool name_tells_direction(const FoundNetwork& generator, const std::string& role);

/// "genA2B, genB2A, ... 7 in all".
std::string names_text(const std::vector<FoundNetwork>& networks);

}  // namespace torsor
