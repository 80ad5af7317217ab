// Files with the weights of known feature networks: torsor's own, made by `torsor import`, and the Python
// packages'.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "io/tensor_map.h"

namespace torsor {

inline constexpr const char* kEfficientNetLite0 = "efficientnet-lite0";
inline constexpr const char* kInception = "inception";

struct FeatureWeights {
  std::string architecture;  // one of the names above
  TensorMap tensors;         // under the Python package's keys
  std::string source;        // the file, for messages
  std::string origin;        // the name of the file that the weights were first read from
  std::string note = {}, licence = {};
};

/// The weights in a file when its keys or its metadata say that it is of a network above: a feature file of
/// torsor, or what Python's torch.save wrote. Nothing for any other file, readable or not.
std::optional<FeatureWeights> recognise_feature_weights(const std::filesystem::path& path);

/// The same; throws Error naming the file for every other one, and for one that cannot be read.
FeatureWeights read_feature_weights(const std::filesystem::path& path);

/// Writes a feature file: safetensors that say what they are under "torsor.features". Atomic. Throws Error.
void write_feature_weights(const std::filesystem::path& path, const FeatureWeights& weights);

/// What `torsor inspect` says of them: {"file", "what", "bytes", "architecture", "origin", "tensors",
/// "values", "note", "licence"}.
Json describe_feature_weights(const FeatureWeights& weights);

/// Where torsor looks for such files: $TORSOR_FEATURES, else $XDG_DATA_HOME/torsor/features, else
/// ~/.local/share/torsor/features. It need not exist. Empty where none of the variables is set.
std::filesystem::path feature_folder();

/// The first of these files that lies in feature_folder(), or an empty path.
std::filesystem::path find_feature_file(const std::vector<std::string>& names);

}  // namespace torsor
