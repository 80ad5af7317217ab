// The networks in a file of weights that does not describe itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/tensor_map.h"
#include "model/network_info.h"
#include "nn/network.h"

namespace torsor {

enum class NetworkKind { generator, discriminator, unknown };

struct FoundNetwork {
  std::string name;  // dotted, without what wraps networks: "state_dict.netG_A"; "." when it is all there is
  NetworkKind likeness = NetworkKind::unknown;
  TensorMap weights;    // under the keys that the network itself gives them
  std::string problem;  // why its tensors cannot be read, naming the file; "" = they were
};

/// The networks in named tensors of a state dict called `name`. What DataParallel ("module."), torch.compile
/// ("_orig_mod."), Lightning modules and GANs ("netG_A.", "generator.") put in front of keys is removed, in
/// any nesting; counters next to networks (n_averaged of an averaged model) are dropped. Tensors in which
/// nothing is recognised stay together, except under the names of generators of two directions.
std::vector<FoundNetwork> split_networks(const std::string& name, TensorMap tensors);

/// Those of a .pth or safetensors file, at least one. Throws Error naming the file.
std::vector<FoundNetwork> find_networks(const std::filesystem::path& file);

/// Whether the content is safetensors; the name counts too where a file says by it what it ought to be.
bool is_safetensors(const std::filesystem::path& file);

/// "resnet_9blocks, ngf 64, norm instance, 3 to 3 channels".
std::string describe_generator(const GeneratorOptions& options);
std::string describe_discriminator(const DiscriminatorOptions& options);
/// One of either kind, or another by what it is. Throws UsageError for options that cannot be read.
std::string describe_network(const NetworkInfo& network);

/// "generator", "discriminator", "unknown network".
std::string likeness_text(NetworkKind likeness);

}  // namespace torsor
