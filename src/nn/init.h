// Weight initialisation as in the reference (reference networks.init_weights).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/options.h"
#include "nn/layers.h"

namespace torsor {

struct InitOptions {
  std::string init_type = "auto";        // as the network wants it, normal where it says nothing
  std::optional<double> init_gain = {};  // 0.02 where nothing is said

  void describe(OptionSet& o);
};

/// How the weights of layers are drawn.
using OwnInit = std::map<const torch::nn::Module*, InitOptions>;

/// A module whose layers begin otherwise than those of most networks, where init_type is auto.
struct HasOwnInit {
  virtual ~HasOwnInit() = default;
  /// Of the layers below it; `gain` is init_gain where that is given.
  virtual OwnInit own_init(std::optional<double> gain) const = 0;
};

/// Draws every convolution's and fully connected layer's weight on the CPU in float32 from a generator seeded
/// with `seed`, then copies it to the parameter's device and dtype; biases become 0, BatchNorm weights N(1,
/// gain). normal N(0, gain); xavier normal with gain; kaiming normal (fan_in, gain ignored as in the
/// reference); orthogonal with gain; auto as HasOwnInit says, else normal.
void init_weights(torch::nn::Module& module, const InitOptions& options, std::uint64_t seed);

}  // namespace torsor
