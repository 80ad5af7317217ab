// Weight initialisation as in the reference (reference networks.init_weights).
#pragma once

#include <string>

#include "core/options.h"
#include "nn/layers.h"

namespace torsor {

struct InitOptions {
  std::string init_type = "normal";
  double init_gain = 0.02;

  void describe(OptionSet& o);
};

/// Draws every convolution's and fully connected layer's weight on the CPU in float32 from a generator seeded
/// with `seed`, then copies it to the parameter's device and dtype; biases become 0, BatchNorm weights N(1,
/// gain). normal N(0, gain); xavier normal with gain; kaiming normal (fan_in, gain ignored as in the
/// reference); orthogonal with gain.
void init_weights(torch::nn::Module& module, const InitOptions& options, std::uint64_t seed);

}  // namespace torsor
