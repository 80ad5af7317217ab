// What a user decides about weights that leave something open.
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
  std::string weights;  // of a torsor model with averaged weights: "averaged" or "last"

  void describe(OptionSet& o);
  /// Without the choice that only a torsor model leaves open.
  void describe_foreign(OptionSet& o);
};

/// Throws UsageError naming the first option that is given and `source`, a torsor model, which describes
/// itself but for the choice between averaged and last weights.
void require_undecided(const WeightChoice& choice, const std::string& source);

}  // namespace torsor
