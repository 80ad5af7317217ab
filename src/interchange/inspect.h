// What a file with weights says of itself.
#pragma once

#include <filesystem>

#include "core/json.h"
#include "model/model_file.h"

namespace torsor {

/// Of whatever open_weights() takes: {"file", "what", "bytes", "networks": [{"name", "kind", "options",
/// "sides", "tensors", "values"}], "domains", "preprocessing", "training", "environment", "step", "note",
/// "licence", "notes"}; of an .onnx file what inspect_onnx() says. Reading it verifies the checksums. Throws
/// Error.
Json inspect(const std::filesystem::path& path);

/// The same of weights that were opened already.
Json describe_weights(const WeightSet& set);

}  // namespace torsor
