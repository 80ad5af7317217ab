#include "interchange/network_search.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "interchange/network_name.h"
#include "interchange/reference_networks.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "nn/flow.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

bool is_kernel(const TensorMap& weights, const std::string& key) {
  const at::Tensor tensor = find_tensor(weights, key);
  return tensor.defined() && tensor.dim() == 4;
}

bool any_key_starts(const TensorMap& weights, std::string_view start) {
  return std::any_of(weights.begin(), weights.end(),
                     [&](const auto& entry) { return entry.first.starts_with(start); });
}

// A ResNet begins with a 7x7 convolution; a U-Net has another inside its first part.
bool looks_like_generator(const TensorMap& weights) {
  constexpr std::int64_t kFirstSide = 7;
  const std::string first = "model.1.weight";
  if (is_kernel(weights, first) && find_tensor(weights, first).size(2) == kFirstSide) return true;
  return is_kernel(weights, "model.model.0.weight") && any_key_starts(weights, "model.model.1.model.");
}

NetworkKind likeness_of(const TensorMap& weights) {
  if (looks_like_generator(weights)) return NetworkKind::generator;
  const bool convolves = is_kernel(weights, "model.0.weight") || is_kernel(weights, "net.0.weight");
  return convolves && is_discriminator(weights) ? NetworkKind::discriminator : NetworkKind::unknown;
}

// What is put around a network and is no name of it.
bool is_wrapper(std::string_view part) { return part == "module" || part == "_orig_mod"; }

bool names_a_direction(std::string_view part) {
  const NameSays says = generator_name_says(part);
  return says == NameSays::a_to_b || says == NameSays::b_to_a;
}

struct Group {
  std::string part;  // the first of the dotted names
  TensorMap tensors;
};

// Tensors by the first part of their names, which is taken off; those of one part alone (counters) are left
// out.
std::vector<Group> groups_of(const TensorMap& tensors) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> places;
  for (const auto& [key, tensor] : tensors) {
    const std::size_t dot = key.find('.');
    if (dot == std::string::npos) continue;
    const auto [place, is_new] = places.emplace(key.substr(0, dot), groups.size());
    if (is_new) groups.push_back({place->first, {}});
    groups[place->second].tensors.emplace_back(key.substr(dot + 1), tensor);
  }
  return groups;
}

std::string name_below(const std::string& name, const std::string& part) {
  if (is_wrapper(part)) return name;
  return name == "." ? printable(part) : name + "." + printable(part);
}

bool any_known(const std::vector<FoundNetwork>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [](const FoundNetwork& network) { return network.likeness != NetworkKind::unknown; });
}

std::vector<FoundNetwork> split(const std::string& name, TensorMap tensors, int depth) {
  constexpr int kMaxDepth = 8;
  constexpr std::size_t kMaxGroups = 64;  // of a module of modules; a network's own layers may be more
  const NetworkKind likeness = likeness_of(tensors);
  if (likeness != NetworkKind::unknown || depth == kMaxDepth)
    return {{name, likeness, std::move(tensors), ""}};
  std::vector<Group> groups = groups_of(tensors);
  std::vector<FoundNetwork> found;
  if (groups.size() > kMaxGroups) groups.clear();
  bool named = groups.size() == 1 && is_wrapper(groups.front().part);
  for (Group& group : groups) {
    named = named || names_a_direction(group.part);
    for (FoundNetwork& inner : split(name_below(name, group.part), std::move(group.tensors), depth + 1))
      found.push_back(std::move(inner));
  }
  if (named || any_known(found)) return found;
  return {{name, NetworkKind::unknown, std::move(tensors), ""}};
}

// What was a torsor model keeps its tensors' names when another program drops the description.
void rename_own_tensors(TensorMap& tensors) {
  constexpr std::string_view kOwn = "net/";
  for (auto& entry : tensors) {
    std::string& key = entry.first;
    const std::size_t slash = key.find('/', kOwn.size());
    if (!key.starts_with(kOwn) || slash == std::string::npos) continue;
    key[slash] = '.';
    key.erase(0, kOwn.size());
  }
}

std::vector<StateDict> read_any(const fs::path& file) {
  if (!is_safetensors(file)) return read_state_dicts(file);
  TensorMap tensors = read_safetensors(file).tensors;
  rename_own_tensors(tensors);
  std::vector<StateDict> one;
  one.push_back({"", std::move(tensors), ""});
  return one;
}

}  // namespace

bool is_safetensors(const fs::path& file) {
  if (file.extension() == ".safetensors") return true;
  char head[9] = {};  // a length, then the opening brace of the header
  std::ifstream(file, std::ios::binary).read(head, sizeof head);
  return head[8] == '{';
}

std::vector<FoundNetwork> split_networks(const std::string& name, TensorMap tensors) {
  return split(name, std::move(tensors), 0);
}

std::vector<FoundNetwork> find_networks(const fs::path& file) {
  std::vector<FoundNetwork> found;
  for (StateDict& dict : read_any(file)) {
    const std::string name = dict.name.empty() ? "." : dict.name;
    if (!dict.problem.empty()) {
      found.push_back({name, NetworkKind::unknown, {}, dict.problem});
      continue;
    }
    for (FoundNetwork& network : split_networks(name, std::move(dict.tensors)))
      found.push_back(std::move(network));
  }
  return found;
}

namespace {

std::string describe_flow(const GeneratorOptions& o) {
  const bool adapts = o.flow_solver == "dopri5";
  return fmt::format("{}, ngf {}, {} in {} steps{}{}, {} channels", o.net_g, o.ngf, o.flow_solver,
                     o.flow_steps, adapts ? fmt::format(" or more, tolerance {:g}", o.flow_tolerance) : "",
                     o.flow_blocks == "own" ? ", each of its own" : "", o.in_channels);
}

}  // namespace

std::string describe_generator(const GeneratorOptions& o) {
  if (is_invertible(o)) return describe_flow(o);
  return fmt::format("{}, ngf {}, norm {}, {} to {} channels{}", o.net_g, o.ngf, o.norm, o.in_channels,
                     o.out_channels, o.dropout ? ", dropout" : "");
}

std::string describe_discriminator(const DiscriminatorOptions& o) {
  const std::string layers = o.net_d == "n_layers" ? fmt::format(", {} layers", o.n_layers_d) : "";
  return fmt::format("{}{}, ndf {}, norm {}, {} channels", o.net_d, layers, o.ndf, o.norm, o.in_channels);
}

std::string describe_network(const NetworkInfo& network) {
  if (network.kind == kGeneratorKind)
    return describe_generator(options_from_json<GeneratorOptions>(network.options, network.name));
  if (network.kind == kDiscriminatorKind)
    return describe_discriminator(options_from_json<DiscriminatorOptions>(network.options, network.name));
  const auto o = options_from_json<PatchFeatureOptions>(network.options, network.name);
  return fmt::format("patch features of {} channels, {} wide", o.channels, o.width);
}

std::string likeness_text(NetworkKind likeness) {
  switch (likeness) {
    case NetworkKind::generator:
      return "generator";
    case NetworkKind::discriminator:
      return "discriminator";
    case NetworkKind::unknown:
      return "unknown network";
  }
  fail("likeness: no such value");
}

}  // namespace torsor
