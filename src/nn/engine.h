// Which code computes the layers that kernels exist for.
#pragma once

#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace torsor {

/// automatic: the kernels where they are faster and as exact as libtorch to a small factor; fast: wherever
/// they apply; torch: nowhere.
enum class Engine { automatic, torch, fast };

std::vector<std::string> engine_names();
/// Throws UsageError for an unknown name.
Engine engine_named(const std::string& name);

/// A module of which the engine computes layers.
struct HasEngine {
  virtual ~HasEngine() = default;
  Engine engine = Engine::automatic;
};

/// Of all layers below `module`; automatic until it is set.
void set_engine(torch::nn::Module& module, Engine engine);

}  // namespace torsor
