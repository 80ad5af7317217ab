#include "model/model_in_use.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "model/step_support.h"

namespace torsor {

ModelInUse::ModelInUse(const Model& model, const Placement& placement)
    : networks_(model.networks()), placement_(placement), evaluation_(networks_), averaged_(model) {}

at::Tensor ModelInUse::run(const NetworkInfo& info, const at::Tensor& image) const {
  const auto found = std::find_if(networks_.begin(), networks_.end(),
                                  [&](const NamedNetwork& network) { return network.name == info.name; });
  if (found == networks_.end()) fail("the model has no network {}", info.name);
  const at::Tensor x = image.unsqueeze(0).to(placement_.device, placement_.dtype);
  return run_network(*found->network, x, placement_).to(at::kCPU, at::kFloat)[0];
}

}  // namespace torsor
