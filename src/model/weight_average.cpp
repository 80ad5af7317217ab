#include "model/weight_average.h"

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include <algorithm>

#include "core/error.h"
#include "model/model_keys.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

const std::string kSteps = "ema/steps";

TensorMap copy_of(const Network& network) {
  TensorMap out;
  for (const auto& [key, tensor] : state_dict(network)) out.emplace_back(key, tensor.detach().clone());
  return out;
}

// Of each tensor of its state_dict().
std::vector<bool> parameters_among_tensors(const Network& network) {
  const auto parameters = network.named_parameters();
  std::vector<bool> out;
  for (const auto& [key, tensor] : state_dict(network)) out.push_back(parameters.contains(key));
  return out;
}

}  // namespace

WeightAverage::WeightAverage(const std::vector<NamedNetwork>& networks, double decay) : decay_(decay) {
  if (!(decay > 0 && decay < 1)) fail_usage("--ema {}: a decay between 0 and 1 is expected", decay);
  for (const auto& [name, network] : networks)
    if (std::dynamic_pointer_cast<Generator>(network))
      averaged_.push_back({name, network, copy_of(*network), parameters_among_tensors(*network)});
}

void WeightAverage::update() {
  const at::NoGradGuard no_grad;
  const auto t = static_cast<double>(++steps_);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (Averaged& averaged : averaged_) {
    const auto live = state_dict(*averaged.network);
    for (std::size_t i = 0; i < live.size(); ++i) {
      at::Tensor& average = averaged.tensors[i].second;
      if (averaged.is_parameter[i])
        average.mul_(decay).add_(live[i].second, 1 - decay);
      else
        average.copy_(live[i].second);
    }
  }
}

const TensorMap* WeightAverage::of(const std::string& network) const {
  for (const Averaged& averaged : averaged_)
    if (averaged.name == network) return &averaged.tensors;
  return nullptr;
}

void WeightAverage::save(Archive& archive) const {
  for (const Averaged& averaged : averaged_)
    for (const auto& [key, tensor] : averaged.tensors)
      archive.put(kAveragedPrefix + averaged.name + "/" + key, tensor);
  archive.put(kSteps, Json(steps_));
}

void WeightAverage::load(const Archive& archive) {
  const at::NoGradGuard no_grad;
  for (Averaged& averaged : averaged_)
    for (auto& [key, tensor] : averaged.tensors)
      tensor.copy_(archive.tensor_like(kAveragedPrefix + averaged.name + "/" + key, tensor));
  archive.take(kSteps, [&](const Json& saved) { steps_ = json_count(saved); });
}

}  // namespace torsor
