#include "nn/engine.h"

#include <torch/nn/module.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

std::vector<std::string> engine_names() { return {"auto", "torch", "fast"}; }

Engine engine_named(const std::string& name) {
  const std::vector<std::string> names = engine_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail_usage("unknown engine '{}' (one of {})", name, join(names));
  return static_cast<Engine>(found - names.begin());
}

void set_engine(torch::nn::Module& module, Engine engine) {
  module.apply([&](torch::nn::Module& m) {
    if (auto* user = dynamic_cast<HasEngine*>(&m)) user->engine = engine;
  });
}

}  // namespace torsor
