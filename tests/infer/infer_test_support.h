// Shared by the tests of inference: small generators with random weights, and models in files.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "golden_folders.h"
#include "infer/generator_runner.h"
#include "io/safetensors.h"
#include "nn/init.h"
#include "nn/state_dict.h"
#include "test_support.h"

namespace torsor::testing {

namespace fs = std::filesystem;

inline at::Generator random(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

/// Uniform in [-1, 1).
inline at::Tensor image_noise(at::IntArrayRef shape, std::uint64_t seed = 1) {
  return at::empty(shape, at::kFloat).uniform_(-1, 1, random(seed));
}

inline GeneratorOptions small_options(const std::string& net = "resnet_2blocks",
                                      const std::string& norm = "instance") {
  GeneratorOptions options;
  options.net_g = net;
  options.norm = norm;
  options.ngf = 4;
  return options;
}

/// Weights of a scale that keeps signals alive in narrow layers, and running statistics unlike those of any
/// image.
inline LoadedGenerator loaded(const GeneratorOptions& options, std::uint64_t seed = 1) {
  LoadedGenerator out;
  out.options = options;
  out.generator = make_generator(options);
  init_weights(*out.generator, {"kaiming", 1}, seed);
  for (const auto& buffer : out.generator->named_buffers())
    if (buffer.value().is_floating_point()) buffer.value().uniform_(0.5, 1.5, random(seed));
  out.generator->eval();
  return out;
}

/// A model file that holds these generators: (direction, generator).
inline void write_model(const fs::path& path,
                        const std::vector<std::pair<std::string, LoadedGenerator>>& generators) {
  WeightSet set;
  for (const auto& [direction, generator] : generators) {
    set.info.networks.push_back(generator_info(Direction::named(direction), generator.options));
    set.weights["g_" + direction] = state_dict(*generator.generator);
  }
  fs::create_directories(path.parent_path());
  write_weights(path, set);
}

}  // namespace torsor::testing
