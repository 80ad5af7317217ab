// Under which keys of a file's metadata a model describes itself.
#pragma once

#include <map>
#include <string>

namespace torsor {

inline constexpr const char* kModelKey = "torsor.model";
inline constexpr const char* kFormatKey = "torsor.format";

/// Tensors of networks are under "net/<network>/<state-dict key>", moving averages of them under
/// "ema/<network>/<state-dict key>".
inline const std::string kNetworksPrefix = "net/", kAveragedPrefix = "ema/";

/// Whether metadata are those of a torsor model or checkpoint, sound or not.
inline bool describes_model(const std::map<std::string, std::string>& metadata) {
  return metadata.contains(kModelKey) || metadata.contains(kFormatKey);
}

}  // namespace torsor
