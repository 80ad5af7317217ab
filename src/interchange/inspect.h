// The description of a file of weights.
#pragma once

#include <filesystem>

#include "core/json.h"
#include "interchange/weight_choice.h"
#include "model/model_file.h"

namespace torsor {

/// Whether "paths" are found, for which every network translates an image.
enum class LayerWatch { off, on };

/// Of whatever open_weights() takes: {"file", "what", "bytes", "networks": [{"name", "kind", "options",
/// "sides", "tensors", "values", "paths"}], "domains", "preprocessing", "training", "environment", "step",
/// "note", "licence", "notes"}; of an .onnx file what inspect_onnx() says. "paths" tells what computes the
/// layers of a network on this CPU: {"side": pixels of the image it is true of, "layers": [{"layers", "by":
/// "kernel" or "libtorch"}]}; it is absent from networks of which kernels compute no layer. Reading verifies
/// the checksums. Of a file that does not describe itself "found" lists every network in it, imported or not:
/// [{"name" (for --network), "likeness", "architecture" (or why torsor cannot compute it), "tensors",
/// "values"}]; where none can be imported, "refused" says why, and "networks" is absent. Throws Error where
/// nothing can be said.
Json inspect(const std::filesystem::path& path, const WeightChoice& choice = {},
             LayerWatch layers = LayerWatch::on);

/// The same of weights that were opened already, without "paths".
Json describe_weights(const WeightSet& set);

}  // namespace torsor
