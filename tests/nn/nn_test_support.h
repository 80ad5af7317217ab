// Shared by the tests of the networks.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "nn/init.h"
#include "nn/network.h"
#include "nn/state_dict.h"
#include "test_support.h"

namespace torsor::testing {

inline at::Generator generator(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

/// Seeded N(0, 1) in float32.
inline at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  return at::empty(shape, at::kFloat).normal_(0, 1, generator(seed));
}

/// A narrow generator; `norm` as in the options.
inline GeneratorOptions generator_options(const std::string& net, const std::string& norm = "instance") {
  GeneratorOptions options;
  options.net_g = net;
  options.norm = norm;
  options.ngf = 2;
  return options;
}

inline DiscriminatorOptions discriminator_options(const std::string& net,
                                                  const std::string& norm = "instance",
                                                  std::int64_t layers = 3) {
  DiscriminatorOptions options;
  options.net_d = net;
  options.norm = norm;
  options.ndf = 2;
  options.n_layers_d = layers;
  return options;
}

/// The network with weights of a scale that keeps signals alive in narrow layers.
template <class NetworkPtr>
NetworkPtr initialised(NetworkPtr network, std::uint64_t seed = 1) {
  init_weights(*network, {"kaiming", 1}, seed);
  return network;
}

/// Of parameters and buffers, in the order of its state_dict().
inline std::vector<std::string> tensor_names(const torch::nn::Module& module) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : state_dict(module)) out.push_back(name);
  return out;
}

}  // namespace torsor::testing
