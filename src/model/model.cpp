#include "model/model.h"

#include <torch/types.h>

#include "core/text.h"
#include "model/model_keys.h"
#include "model/weight_average.h"
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

Model::Model() = default;
Model::~Model() = default;

void Model::keep_average(double decay) { average_ = std::make_unique<WeightAverage>(networks(), decay); }

void Model::update_average() {
  if (average_) average_->update();
}

void Model::save(Archive& archive) {
  for (const auto& [name, network] : networks())
    for (const auto& [key, tensor] : state_dict(*network))
      archive.put(kNetworksPrefix + name + "/" + key, tensor);
  for (const Optimizer* optimizer : optimizers()) optimizer->save(archive);
  if (average_) average_->save(archive);
  save_extra(archive);
}

void Model::load(const Archive& archive) {
  for (const auto& [name, network] : networks())
    load_state_dict(*network, archive.tensors_under(kNetworksPrefix + name),
                    fmt::format("{}: network {}", archive.source(), name));
  for (Optimizer* optimizer : optimizers()) optimizer->load(archive);
  if (average_) average_->load(archive);
  load_extra(archive);
}

std::string non_finite_weight(const Model& model) {
  for (const auto& [name, network] : model.networks())
    for (const auto& [key, tensor] : state_dict(*network))
      if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>()) return name + " " + key;
  return "";
}

}  // namespace torsor
