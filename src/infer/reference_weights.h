// Architecture of the reference's networks, inferred from their state-dict keys and shapes.
#pragma once

#include <filesystem>

#include "io/tensor_map.h"
#include "model/model_file.h"

namespace torsor {

/// A generator's options from the keys of its state dict: resnet blocks, U-Net depth, ngf, channels, norm,
/// dropout (ResNet: from the index of the second convolution; U-Net: cannot be told and does not matter in
/// evaluation). Throws Error that says what the weights are instead: a discriminator, another network (first
/// keys named).
GeneratorOptions infer_generator(const TensorMap& weights, const std::string& source);

/// A .pth of the reference, ready to run.
LoadedGenerator load_reference_generator(const std::filesystem::path& path);

}  // namespace torsor
