#include "app/engine_report.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "nn/engine.h"

namespace torsor::app {

std::string path_line(const std::string& by, const std::string& layers) {
  return fmt::format("  {:>8}  {}\n", by, layers);
}

std::string engine_report(const std::string& name, const torch::nn::Module& network) {
  const std::vector<LayerPath> paths = seen_paths(network);
  if (paths.empty())
    return fmt::format("engine, {}: all layers by libtorch, no kernels for a network of its kind\n", name);
  const bool compared =
      std::any_of(paths.begin(), paths.end(), [](const LayerPath& path) { return path.worst.has_value(); });
  std::string text = fmt::format("engine, {}: who computes its layers{}\n", name,
                                 compared ? "; by kernels where there is a number: the largest distance of "
                                            "their results from libtorch's, relative"
                                          : "");
  for (const LayerPath& path : paths)
    text += path_line(path.worst       ? fmt::format("{:.1e}", *path.worst)
                      : path.by_kernel ? "kernel"
                                       : "libtorch",
                      path.layers);
  return text;
}

}  // namespace torsor::app
