#include "interchange/inspect.h"

#include <torch/types.h>

#include <algorithm>

#include "core/error.h"
#include "interchange/identity_source.h"
#include "interchange/network_search.h"
#include "interchange/onnx.h"
#include "interchange/reference_networks.h"
#include "interchange/weight_source.h"
#include "io/describe.h"
#include "nn/engine.h"

namespace torsor {

namespace {

constexpr std::int64_t kSide = 256;  // of the image that paths are told of, at the most

// The crop that the network was trained with, as far as it is known, in sides that it takes.
std::int64_t side_for(const Network& network, const ModelInfo& info) {
  const Json crop = info.training.is_object() ? info.training.value("crop_size", Json(kSide)) : Json(kSide);
  const std::int64_t wanted = crop.is_number_integer() ? std::clamp<std::int64_t>(crop, 1, kSide) : kSide;
  const SizeRule rule = network.size_rule();
  const std::int64_t least = std::max(wanted, rule.minimum);
  return (least + rule.multiple - 1) / rule.multiple * rule.multiple;
}

Json paths_of(const WeightSet& set, const NetworkInfo& info) {
  const std::shared_ptr<Network> network = load_network(set, info);
  if (!watch_engine(*network)) return nullptr;
  const at::NoGradGuard no_grad;
  const std::int64_t side = side_for(*network, set.info);
  network->forward(torch::zeros({1, info.options.at("in_channels").get<std::int64_t>(), side, side}));
  Json layers = Json::array();
  for (const LayerPath& path : seen_paths(*network))
    layers.push_back({{"layers", path.layers}, {"by", path.by_kernel ? "kernel" : "libtorch"}});
  return {{"side", side}, {"layers", layers}};
}

// What a message says behind the names that it begins with.
std::string without_source(const std::string& message, const std::string& source) {
  return message.starts_with(source + ": ") ? message.substr(source.size() + 2) : message;
}

std::string architecture_of(const FoundNetwork& network, const std::string& source) {
  if (!network.problem.empty()) return without_source(network.problem, source);
  try {
    return network.likeness == NetworkKind::discriminator
               ? describe_discriminator(infer_discriminator(network.weights, source).options)
               : describe_generator(infer_generator(network.weights, source).options);
  } catch (const Error& error) {
    return without_source(error.what(), source);
  }
}

Json describe_found(const std::vector<FoundNetwork>& networks, const std::string& source) {
  Json out = Json::array();
  for (const FoundNetwork& network : networks) {
    std::int64_t values = 0;
    for (const auto& [key, tensor] : network.weights) values += tensor.numel();
    out.push_back({{"name", network.name},
                   {"likeness", likeness_text(network.likeness)},
                   {"architecture", architecture_of(network, source)},
                   {"tensors", network.weights.size()},
                   {"values", values}});
  }
  return out;
}

bool any_readable(const std::vector<FoundNetwork>& networks) {
  return std::any_of(networks.begin(), networks.end(), [](const FoundNetwork& network) {
    return network.problem.empty() && !network.weights.empty();
  });
}

Json describe_own(const WeightSet& set, LayerWatch layers) {
  Json out = describe_weights(set);
  for (std::size_t i = 0; layers == LayerWatch::on && i < set.info.networks.size(); ++i) {
    Json paths = paths_of(set, set.info.networks[i]);
    if (!paths.is_null()) out["networks"][i]["paths"] = std::move(paths);
  }
  return out;
}

// A file that does not describe itself; its networks are listed where none can be taken over, too.
Json describe_foreign(const std::filesystem::path& path, const WeightChoice& choice, LayerWatch layers) {
  const std::vector<FoundNetwork> networks = find_networks(path);
  Json out;
  try {
    out = describe_own(open_weights(path, choice), layers);
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    if (!any_readable(networks)) throw;
    out = {{"file", path.string()},
           {"what", "weights that torsor cannot take over"},
           {"bytes", weight_file_size(path)},
           {"refused", error.what()}};
  }
  out["found"] = describe_found(networks, path.string());
  return out;
}

}  // namespace

Json inspect(const std::filesystem::path& path, const WeightChoice& choice, LayerWatch layers) {
  if (path.extension() == ".onnx") {
    Json out = {{"file", path.string()}, {"what", "ONNX model"}, {"bytes", weight_file_size(path)}};
    out.update(inspect_onnx(path));
    return out;
  }
  std::error_code ec;
  const bool is_file = std::filesystem::is_regular_file(path, ec);
  if (is_file && !is_torsor_file(path)) return describe_foreign(path, choice, layers);
  return describe_own(open_weights(path, choice), layers);
}

Json describe_weights(const WeightSet& set) {
  std::error_code ec;
  Json out = {{"file", set.source}, {"what", set.what}};
  if (set.source != kIdentityModel && std::filesystem::is_regular_file(set.source, ec))
    out["bytes"] = std::filesystem::file_size(set.source, ec);
  out.update(set.info.to_json());
  for (Json& network : out["networks"]) {
    std::int64_t values = 0;
    const TensorMap& weights = set.weights.at(network.at("name").get<std::string>());
    for (const auto& [key, tensor] : weights) values += tensor.numel();
    network["tensors"] = weights.size();
    network["values"] = values;
    if (set.averaged.contains(network.at("name"))) network["averaged"] = true;
  }
  out["notes"] = set.notes;
  return out;
}

}  // namespace torsor
