#include "app/engine_check.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include "nn/engine.h"

namespace torsor::app {

std::string engine_check_text(const std::string& name, const torch::nn::Module& network) {
  const std::vector<LayerPath> paths = checked_paths(network);
  if (paths.empty()) return fmt::format("engine check, {}: no kernels for a network of its kind\n", name);
  std::string text = fmt::format(
      "engine check, {}: largest distance of a kernel's results from libtorch's, relative\n", name);
  for (const LayerPath& path : paths)
    text += fmt::format("  {:>8}  {}\n", path.by_kernel ? fmt::format("{:.1e}", path.worst) : "libtorch",
                        path.layers);
  return text;
}

}  // namespace torsor::app
