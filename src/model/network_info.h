// The description of a network in a file or a model, and the network built from it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "model/direction.h"
#include "nn/network.h"
#include "nn/patch_features.h"

namespace torsor {

inline constexpr const char* kGeneratorKind = "generator";
inline constexpr const char* kDiscriminatorKind = "discriminator";
inline constexpr const char* kFeaturesKind = "features";

/// The name of a discriminator of pairs; it sees input and image, the input's channels first.
inline constexpr const char* kPairDiscriminator = "d_ab";

struct NetworkInfo {
  std::string name;                      // unique in its model: g_a_to_b, ...
  std::string kind;                      // generator, discriminator or features
  Json options;                          // GeneratorOptions, DiscriminatorOptions or PatchFeatureOptions
  SizeRule sides;                        // image sides that it supports
  Direction maps = {};                   // of a generator, or of that whose features it projects
  std::vector<std::string> sees = {};    // of a discriminator: keys of the domains whose images it sees; of
                                         // several, as one stack of channels in this order. Empty: unknown
  std::vector<std::string> labels = {};  // of a discriminator: the classes of which it sees a plane each
                                         // behind those channels (class_planes()). Empty: images alone
  std::optional<double> return_error = {};  // of a flow: return_error() of its training's fixed images
};

/// Named "g_" and its direction, "g" where that is not known. Throws UsageError for unusable options.
NetworkInfo generator_info(const Direction& maps, const GeneratorOptions& options);
/// Named "d_" and the domains, "d" where they are not known. Throws UsageError for unusable options.
NetworkInfo discriminator_info(const std::vector<std::string>& sees, const DiscriminatorOptions& options);
/// Named "f_" and the direction of its generator. Throws UsageError for unusable options.
NetworkInfo features_info(const Direction& maps, const PatchFeatureOptions& options);

/// The generator of this direction, by what is said of the networks, not by their names; null when there is
/// none.
const NetworkInfo* find_generator(const std::vector<NetworkInfo>& networks, const Direction& maps);
/// What translates in this direction: find_generator(), else the flow of the opposite one, which is applied
/// backwards in time; null when there is neither.
const NetworkInfo* find_translator(const std::vector<NetworkInfo>& networks, const Direction& maps);
/// All generators whose direction is known.
std::vector<NetworkInfo> directed_generators(const std::vector<NetworkInfo>& networks);

/// The network that this describes, its parameters zeros. Throws UsageError naming `source` for options that
/// cannot be used, Error for a kind that is none of ours.
std::shared_ptr<Network> make_network(const NetworkInfo& info, const std::string& source);

/// What a message calls it: its --net-g or --net-d, or its name.
std::string network_label(const NetworkInfo& info);

/// Sides that each of the networks supports.
SizeRule common_sides(const std::vector<NetworkInfo>& networks);

/// Trainable parameters of all of them; their weights are not allocated.
std::int64_t parameter_count(const std::vector<NetworkInfo>& networks);

}  // namespace torsor
