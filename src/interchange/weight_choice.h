// What a user decides about weights that do not describe themselves.
#pragma once

#include <string>

#include "core/options.h"

namespace torsor {

/// Every field may be empty: then the file decides.
struct WeightChoice {
  std::string network;  // which one of several, as `torsor inspect` lists them: "ema", "state_dict.netG_A"
  std::string norm;     // of the generator: a value of GeneratorOptions::norm
  std::string net_g;    // its architecture: a value of GeneratorOptions::net_g
  std::string dropout;  // "on" or "off"

  void describe(OptionSet& o);
};

/// Throws UsageError naming the first option that is given and `source`, a torsor model, which describes
/// itself.
void require_undecided(const WeightChoice& choice, const std::string& source);

}  // namespace torsor
