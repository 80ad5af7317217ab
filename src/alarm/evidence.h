// What the alarms see of one direction of a training.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "data/pairing.h"
#include "model/direction.h"

namespace torsor {

/// [C,H,W] each, float32 on the CPU, 0 black and 1 white; sizes may differ.
using UnitImages = std::vector<at::Tensor>;

/// Mean |x - F(y)| over a few inputs x, on the scale from 0 to 1, for three forms y of the translation G(x).
struct RoundTrip {
  double plain = 0;    // G(x) as it is
  double rounded = 0;  // rounded to 8 bits
  double noisy = 0;    // with normal noise of standard deviation 1/255
};

struct Evidence {
  UnitImages inputs, outputs;           // the same number: outputs[i] is the translation of inputs[i]
  UnitImages targets;                   // images of the target domain
  Pairing pairing = Pairing::unpaired;  // aligned: targets[i] is the partner of inputs[i]
  std::optional<RoundTrip> round_trip;  // none for a model of one direction
  /// How well the target domain's discriminator tells targets from outputs: DiscriminatorScale::share() of
  /// its loss, 1 by chance and 0 with certainty. None where no discriminator or no such scale is there.
  std::optional<double> discriminator;
};

struct DirectedEvidence {
  Direction direction;
  Evidence evidence;
};

}  // namespace torsor
