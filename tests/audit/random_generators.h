// A model of two small generators with random weights.
#pragma once

#include "model/model_file.h"
#include "model/network_info.h"
#include "nn/init.h"
#include "nn/state_dict.h"

namespace torsor::testing {

inline WeightSet random_generators() {
  WeightSet set;
  for (const Direction& direction : {kAToB, kBToA}) {
    GeneratorOptions options;
    options.net_g = "resnet_1blocks";
    options.ngf = 4;
    const auto generator = make_generator(options);
    init_weights(*generator, {"kaiming", 1}, direction == kAToB ? 1 : 2);
    set.info.networks.push_back(generator_info(direction, options));
    set.weights[set.info.networks.back().name] = state_dict(*generator);
  }
  return set;
}

}  // namespace torsor::testing
