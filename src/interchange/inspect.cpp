#include "interchange/inspect.h"

#include <torch/types.h>

#include <algorithm>

#include "interchange/identity_source.h"
#include "interchange/onnx.h"
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

}  // namespace

Json inspect(const std::filesystem::path& path, const WeightChoice& choice) {
  if (path.extension() == ".onnx") {
    Json out = {{"file", path.string()}, {"what", "ONNX model"}, {"bytes", weight_file_size(path)}};
    out.update(inspect_onnx(path));
    return out;
  }
  const WeightSet set = open_weights(path, choice);
  Json out = describe_weights(set);
  for (std::size_t i = 0; i < set.info.networks.size(); ++i) {
    Json paths = paths_of(set, set.info.networks[i]);
    if (!paths.is_null()) out["networks"][i]["paths"] = std::move(paths);
  }
  return out;
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
  }
  out["notes"] = set.notes;
  return out;
}

}  // namespace torsor
