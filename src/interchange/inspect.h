// What a file with weights says of itself.
#pragma once

#include <filesystem>

#include "core/json.h"
#include "interchange/weight_choice.h"
#include "model/model_file.h"

namespace torsor {

/// Of whatever open_weights() takes: {"file", "what", "bytes", "networks": [{"name", "kind", "options",
/// "sides", "tensors", "values", "paths"}], "domains", "preprocessing", "training", "environment", "step",
/// "note", "licence", "notes"}; of an .onnx file what inspect_onnx() says. "paths" tells who computes the
/// layers of a network on this processor: {"side": pixels of the image it is true of, "layers": [{"layers",
/// "by": "kernel" or "libtorch"}]}; it is absent from networks that no kernel has a part in. Reading verifies
/// the checksums. Throws Error.
Json inspect(const std::filesystem::path& path, const WeightChoice& choice = {});

/// The same of weights that were opened already, without "paths".
Json describe_weights(const WeightSet& set);

}  // namespace torsor
