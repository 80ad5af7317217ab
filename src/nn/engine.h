// The engine: fast kernels or libtorch, for layers that have a kernel.
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

/// automatic: kernels where they are faster and as accurate as libtorch to a small factor; fast: kernels
/// wherever they are supported; torch: no kernels; check: as automatic, and compared with libtorch.
enum class Engine { automatic, torch, fast, check };

std::vector<std::string> engine_names();
/// Throws UsageError for an unknown name.
Engine engine_named(const std::string& name);

/// How a group of fused layers was computed.
struct LayerPath {
  std::string layers;  // "2 to 4: InstanceNorm, Relu, Conv"
  bool by_kernel = false;
  /// With Engine::check: the largest error of a kernel's results against libtorch's, relative, L2.
  std::optional<double> worst;
};

/// The record of how a watched network's layers were computed. Thread-safe.
class EngineLog {
 public:
  /// Adds a group of layers from `first` on; the worst errors are kept.
  void add(std::size_t first, const LayerPath& path);
  /// The paths in the order of the layers; the kernel's where both were used.
  std::vector<LayerPath> paths() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::size_t, LayerPath> paths_;
};

/// A module whose layers the engine computes.
struct HasEngine {
  virtual ~HasEngine() = default;
  Engine engine = Engine::automatic;
  bool watched = false;  // implied by Engine::check
  EngineLog engine_log;
};

/// Sets the engine of all layers below `module`; the default is automatic.
void set_engine(torch::nn::Module& module, Engine engine);

/// Makes the network record how its layers are computed. False where no layer has a kernel.
bool watch_engine(torch::nn::Module& network);

/// The record of this network; empty where it is not watched, or no layer has a kernel.
std::vector<LayerPath> seen_paths(const torch::nn::Module& network);

}  // namespace torsor
