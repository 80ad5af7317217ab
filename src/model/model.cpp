#include "model/model.h"

#include <torch/types.h>

#include "core/text.h"
#include "nn/state_dict.h"

namespace torsor {

double StepReport::loss(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& [known, value] : losses) {
    if (known == name) return value;
    names.push_back(known);
  }
  fail_usage("unknown loss '{}'{} (one of {})", name, did_you_mean(name, names), join(names));
}

void Model::save(Archive& archive) {
  for (const auto& [name, network] : networks())
    for (const auto& [key, tensor] : state_dict(*network)) archive.put("net/" + name + "/" + key, tensor);
  for (const Optimizer* optimizer : optimizers()) optimizer->save(archive);
  save_extra(archive);
}

void Model::load(const Archive& archive) {
  for (const auto& [name, network] : networks())
    load_state_dict(*network, archive.tensors_under("net/" + name),
                    fmt::format("{}: network {}", archive.source(), name));
  for (Optimizer* optimizer : optimizers()) optimizer->load(archive);
  load_extra(archive);
}

std::string non_finite_weight(const Model& model) {
  for (const auto& [name, network] : model.networks())
    for (const auto& [key, tensor] : state_dict(*network))
      if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) return name + " " + key;
  return "";
}

}  // namespace torsor
