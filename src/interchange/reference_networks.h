// Architecture of the reference's networks, inferred from their state-dict keys and shapes.
#pragma once

#include <optional>
#include <string>

#include "interchange/train_opt.h"
#include "interchange/weight_choice.h"
#include "io/tensor_map.h"
#include "nn/network.h"

namespace torsor {

/// What decides where the keys of a network leave something open.
struct NetworkHints {
  WeightChoice choice;                       // the user's
  std::optional<ReferenceOptions> recorded;  // train_opt.txt beside the weights
};

/// Whether these are a discriminator's keys.
bool is_discriminator(const TensorMap& weights);

/// A generator's options from the keys of its state dict: resnet blocks, U-Net depth, ngf, channels, norm,
/// dropout (ResNet: from the index of the second convolution; U-Net: cannot be told and does not matter in
/// evaluation). Throws Error that says what the weights are instead: a discriminator, another network (first
/// keys named).
GeneratorOptions infer_generator(const TensorMap& weights, const std::string& source,
                                 const NetworkHints& hints = {});

/// A discriminator's: kind, layers, ndf, channels, norm. Throws Error that names the first keys.
DiscriminatorOptions infer_discriminator(const TensorMap& weights, const std::string& source);

}  // namespace torsor
