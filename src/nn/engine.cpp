#include "nn/engine.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

std::vector<std::string> engine_names() { return {"auto", "torch", "fast", "check"}; }

Engine engine_named(const std::string& name) {
  const std::vector<std::string> names = engine_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail_usage("unknown engine '{}' (one of {})", name, join(names));
  return static_cast<Engine>(found - names.begin());
}

void EngineLog::add(std::size_t first, const LayerPath& path) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = paths_.try_emplace(first, path);
  if (is_new || (path.by_kernel && !at->second.by_kernel)) {
    at->second = path;
  } else if (path.worst &&
             !(at->second.worst && (std::isnan(*at->second.worst) || *path.worst <= *at->second.worst))) {
    at->second.worst = path.worst;  // NaN is the worst
  }
}

std::vector<LayerPath> EngineLog::paths() const {
  const std::lock_guard lock(mutex_);
  std::vector<LayerPath> all;
  for (const auto& [first, path] : paths_) all.push_back(path);
  return all;
}

bool watch_engine(torch::nn::Module& network) {
  bool found = false;
  network.apply([&](torch::nn::Module& m) {
    auto* user = dynamic_cast<HasEngine*>(&m);
    if (user == nullptr) return;
    user->watched = true;
    found = true;
  });
  return found;
}

std::vector<LayerPath> seen_paths(const torch::nn::Module& network) {
  std::vector<LayerPath> all;
  network.apply([&](const torch::nn::Module& m) {
    const auto* user = dynamic_cast<const HasEngine*>(&m);
    if (user == nullptr) return;
    for (LayerPath& path : user->engine_log.paths()) all.push_back(std::move(path));
  });
  return all;
}

void set_engine(torch::nn::Module& module, Engine engine) {
  module.apply([&](torch::nn::Module& m) {
    if (auto* user = dynamic_cast<HasEngine*>(&m)) user->engine = engine;
  });
}

}  // namespace torsor
