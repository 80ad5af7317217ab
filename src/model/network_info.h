// What a file or a model says of one of its networks, and the network built from that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "nn/network.h"
#include "nn/patch_features.h"

namespace torsor {

inline constexpr const char* kGeneratorKind = "generator";
inline constexpr const char* kDiscriminatorKind = "discriminator";
inline constexpr const char* kFeaturesKind = "features";

struct NetworkInfo {
  std::string name;  // g_a_to_b, ...
  std::string kind;  // generator, discriminator or features
  Json options;      // GeneratorOptions, DiscriminatorOptions or PatchFeatureOptions
  SizeRule sides;    // image sides that it takes
};

/// Throw UsageError for unusable options.
NetworkInfo generator_info(const std::string& name, const GeneratorOptions& options);
NetworkInfo discriminator_info(const std::string& name, const DiscriminatorOptions& options);
NetworkInfo features_info(const std::string& name, const PatchFeatureOptions& options);

/// The network that this describes, its parameters zeros. Throws UsageError naming `source` for options that
/// cannot be used, Error for a kind that is none of ours.
std::shared_ptr<Network> make_network(const NetworkInfo& info, const std::string& source);

/// What a message calls it: its --net-g or --net-d, or its name.
std::string network_label(const NetworkInfo& info);

/// Sides that each of the networks takes.
SizeRule common_sides(const std::vector<NetworkInfo>& networks);

/// Trainable parameters of all of them; their weights are not made.
std::int64_t parameter_count(const std::vector<NetworkInfo>& networks);

}  // namespace torsor
