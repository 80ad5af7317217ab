// The ONNX graph of a network, as protobuf bytes.
#pragma once

#include <map>
#include <string>

#include "nn/network.h"

namespace torsor {

struct OnnxGraphOptions {
  std::int64_t in_channels = 3;
  std::string name;
};

/// A serialised GraphProto from "input" to "output"; initializers carry the state-dict keys. Throws Error
/// when a layer does not describe itself.
std::string onnx_graph(const Layer& network, const OnnxGraphOptions& options);

/// A serialised ModelProto around it.
std::string onnx_model(const std::string& graph, std::int64_t opset,
                       const std::map<std::string, std::string>& metadata);

}  // namespace torsor
