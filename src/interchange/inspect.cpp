#include "interchange/inspect.h"

#include <ATen/core/Tensor.h>

#include "interchange/onnx.h"
#include "interchange/weight_source.h"
#include "io/describe.h"

namespace torsor {

Json inspect(const std::filesystem::path& path) {
  if (path.extension() == ".onnx") {
    Json out = {{"file", path.string()}, {"what", "ONNX model"}, {"bytes", weight_file_size(path)}};
    out.update(inspect_onnx(path));
    return out;
  }
  return describe_weights(open_weights(path));
}

Json describe_weights(const WeightSet& set) {
  std::error_code ec;
  Json out = {{"file", set.source}, {"what", set.what}};
  if (std::filesystem::is_regular_file(set.source, ec))
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
