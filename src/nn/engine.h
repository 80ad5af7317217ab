// Which code computes the layers that kernels exist for.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace torsor {

/// automatic: the kernels where they are faster and as exact as libtorch to a small factor; fast: wherever
/// they apply; torch: nowhere; check: as automatic, and by libtorch too, to be compared.
enum class Engine { automatic, torch, fast, check };

std::vector<std::string> engine_names();
/// Throws UsageError for an unknown name.
Engine engine_named(const std::string& name);

/// How layers that go together were computed.
struct LayerPath {
  std::string layers;  // "2 to 4: InstanceNorm, Relu, Conv"
  bool by_kernel = false;
  /// Engine::check, of a kernel's results: the largest distance from libtorch's, relative, L2.
  std::optional<double> worst;
};

/// What a watched network's layers were computed by, from any number of threads.
class EngineLog {
 public:
  /// Of layers from `first` on; worst distances are kept.
  void add(std::size_t first, const LayerPath& path);
  /// In the order of the layers; where some went both ways, the kernel's.
  std::vector<LayerPath> paths() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::size_t, LayerPath> paths_;
};

/// A module of which the engine computes layers.
struct HasEngine {
  virtual ~HasEngine() = default;
  Engine engine = Engine::automatic;
  bool watched = false;  // Engine::check is without being asked
  EngineLog engine_log;
};

/// Of all layers below `module`; automatic until it is set.
void set_engine(torch::nn::Module& module, Engine engine);

/// From now on the network notes who computes its layers. False for one without layers that kernels exist
/// for.
bool watch_engine(torch::nn::Module& network);

/// What was noted of this network; empty for one that is not watched, or without layers that kernels exist
/// for.
std::vector<LayerPath> seen_paths(const torch::nn::Module& network);

}  // namespace torsor
