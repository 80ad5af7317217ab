// Architecture of the reference's networks, and of other programs' that are built alike, inferred from their
// state-dict keys and shapes.
#pragma once

#include <string>
#include <vector>

#include "interchange/network_hints.h"
#include "io/tensor_map.h"
#include "nn/network.h"
#include "nn/patch_features.h"

namespace torsor {

/// A network that was recognised.
template <class Options>
struct Recognised {
  Options options;
  TensorMap weights;               // under torsor's keys, which are the reference's
  std::vector<std::string> notes;  // what had to be assumed; a doubt that matters begins with "warning:"
};

/// Whether these are a discriminator's keys.
bool is_discriminator(const TensorMap& weights);

/// A generator: resnet blocks and what sides are changed by, U-Net depth, ngf, channels, norm, biases,
/// dropout. What keys leave open is decided as network_hints.h says. Throws Error that says what the weights
/// are instead: a discriminator, a network of another project that torsor cannot compute, or one that nothing
/// is known of (first keys named); UsageError for a hint of the user's that the keys contradict.
Recognised<GeneratorOptions> infer_generator(TensorMap weights, const std::string& source,
                                             const NetworkHints& hints = {});

/// A discriminator: kind, layers, ndf, channels, norm. Throws Error that names the first keys.
Recognised<DiscriminatorOptions> infer_discriminator(TensorMap weights, const std::string& source,
                                                     const NetworkHints& hints = {});

/// CUT's projections of features (mlp_<i>.0.weight, ...): their channels and width. Throws Error naming
/// `source` for other weights.
PatchFeatureOptions infer_patch_features(const TensorMap& weights, const std::string& source);

}  // namespace torsor
