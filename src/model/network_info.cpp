#include "model/network_info.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/text.h"
#include "nn/flow.h"

namespace torsor {

NetworkInfo generator_info(const Direction& maps, const GeneratorOptions& options) {
  const std::string name = maps.is_known() ? "g_" + maps.name() : "g";
  return {name, kGeneratorKind, options_to_json(options), size_rule_of(options), maps, {}};
}

NetworkInfo discriminator_info(const std::vector<std::string>& sees, const DiscriminatorOptions& options) {
  const std::string name = sees.empty() ? "d" : "d_" + join(sees, "");
  return {name, kDiscriminatorKind, options_to_json(options), size_rule_of(options), {}, sees};
}

NetworkInfo features_info(const Direction& maps, const PatchFeatureOptions& options) {
  const ShapesOnly outline;
  return {"f_" + maps.name(),
          kFeaturesKind,
          options_to_json(options),
          PatchFeatures(options).size_rule(),
          maps,
          {}};
}

const NetworkInfo* find_generator(const std::vector<NetworkInfo>& networks, const Direction& maps) {
  for (const NetworkInfo& network : networks)
    if (network.kind == kGeneratorKind && maps.is_known() && network.maps == maps) return &network;
  return nullptr;
}

const NetworkInfo* find_translator(const std::vector<NetworkInfo>& networks, const Direction& maps) {
  if (const NetworkInfo* found = find_generator(networks, maps)) return found;
  const NetworkInfo* opposite = find_generator(networks, maps.opposite());
  const bool inverts = opposite != nullptr &&
                       is_invertible(options_from_json<GeneratorOptions>(opposite->options, opposite->name));
  return inverts ? opposite : nullptr;
}

std::vector<NetworkInfo> directed_generators(const std::vector<NetworkInfo>& networks) {
  std::vector<NetworkInfo> out;
  for (const NetworkInfo& network : networks)
    if (network.kind == kGeneratorKind && network.maps.is_known()) out.push_back(network);
  return out;
}

std::shared_ptr<Network> make_network(const NetworkInfo& info, const std::string& source) {
  const std::string where = source.empty() ? info.name : source + ": " + info.name;
  if (info.kind == kGeneratorKind)
    return make_generator(options_from_json<GeneratorOptions>(info.options, where));
  if (info.kind == kDiscriminatorKind)
    return make_discriminator(options_from_json<DiscriminatorOptions>(info.options, where));
  if (info.kind == kFeaturesKind)
    return std::make_shared<PatchFeatures>(options_from_json<PatchFeatureOptions>(info.options, where));
  fail("{}: is a network of kind '{}', expected {}, {} or {}; a newer torsor may have written it", where,
       printable(info.kind), kGeneratorKind, kDiscriminatorKind, kFeaturesKind);
}

std::string network_label(const NetworkInfo& info) {
  if (info.kind == kGeneratorKind) return info.options.at("net_g");
  if (info.kind == kDiscriminatorKind) return "discriminator " + info.options.at("net_d").get<std::string>();
  return info.name;
}

SizeRule common_sides(const std::vector<NetworkInfo>& networks) {
  SizeRule rule;
  for (const NetworkInfo& network : networks) {
    rule.multiple = std::lcm(rule.multiple, network.sides.multiple);
    rule.minimum = std::max(rule.minimum, network.sides.minimum);
  }
  return rule;
}

std::int64_t parameter_count(const std::vector<NetworkInfo>& networks) {
  const ShapesOnly outline;
  std::int64_t count = 0;
  for (const NetworkInfo& network : networks) count += parameter_count(*make_network(network, ""));
  return count;
}

}  // namespace torsor
