// A network's recorded forward pass: <name>.pth with its weights, <name>.npz with x and y. What the network
// is follows from the keys and shapes of its weights, so that any network the reference has can be recorded.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "interchange/reference_networks.h"
#include "io/npz.h"
#include "io/pth.h"
#include "nn/network.h"
#include "nn/state_dict.h"
#include "parity/outcome.h"

namespace torsor::parity {

namespace fs = std::filesystem;

inline constexpr double kForwardTolerance = 1e-5;  // relative L2

/// Throws Error when the weights are not a PatchGAN's or a pixel discriminator's.
inline DiscriminatorOptions infer_discriminator(const TensorMap& weights, const std::string& source) {
  const bool pixel = find_tensor(weights, "net.0.weight").defined();
  const std::string prefix = pixel ? "net." : "model.";
  const auto tensor = [&](const std::string& key) { return find_tensor(weights, prefix + key); };
  const at::Tensor first = tensor("0.weight");
  if (!first.defined() || first.dim() != 4) fail("{}: holds no network that torsor knows", source);
  DiscriminatorOptions o;
  o.net_d = pixel ? "pixel" : "n_layers";
  o.ndf = first.size(0);
  o.in_channels = first.size(1);
  std::int64_t convolutions = 0;
  for (const auto& [name, value] : weights) convolutions += value.dim() == 4;
  if (!pixel) o.n_layers_d = convolutions - 2;
  // The first inner convolution stands at 2, its norm at 3.
  o.norm = tensor("3.running_mean").defined() ? "batch" : tensor("2.bias").defined() ? "instance" : "none";
  return o;
}

inline bool is_discriminator(const TensorMap& weights) {
  const at::Tensor patch = find_tensor(weights, "model.0.weight"),
                   pixel = find_tensor(weights, "net.0.weight");
  return patch.defined() || pixel.defined();
}

inline std::shared_ptr<Network> network_for(const TensorMap& weights, const std::string& source) {
  if (is_discriminator(weights)) return make_discriminator(infer_discriminator(weights, source));
  const GeneratorOptions options = infer_generator(weights, source).options;
  // Its draws are not recorded, so that there is nothing to compare.
  if (options.dropout) fail("{}: has dropout, which draws at random in training mode", source);
  return make_generator(options);
}

inline Outcome run_forward(const std::string& name, const fs::path& pth, const fs::path& npz) {
  return outcome_of(name, [&](Outcome& outcome) {
    const TensorMap weights = read_pth(pth), recorded = read_npz(npz);
    const at::Tensor x = find_tensor(recorded, "x"), y = find_tensor(recorded, "y");
    if (!x.defined() || !y.defined()) fail("{}: has no x or no y", npz.string());
    const auto network = network_for(weights, pth.string());
    load_state_dict(*network, weights, pth.string());
    network->to(x.scalar_type());
    network->train();
    const at::NoGradGuard no_grad;
    const at::Tensor out = network->forward(x);
    if (out.sizes() != y.sizes()) fail("{}: the network's output has another shape than y", npz.string());
    Comparison(outcome).note("the output", relative_l2(out, y), kForwardTolerance);
  });
}

}  // namespace torsor::parity
