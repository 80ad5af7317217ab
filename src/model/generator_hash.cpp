#include "model/generator_hash.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "io/checksum.h"

namespace torsor {

namespace {

// In the order of the keys: every program that writes files lists tensors in its own.
void add_weights_to(Checksum& checksum, TensorMap weights) {
  std::sort(weights.begin(), weights.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  add_tensors(checksum, weights);
}

}  // namespace

std::string hash_of_generators(const WeightSet& set) {
  const bool any_directed = !directed_generators(set.info.networks).empty();
  Checksum checksum;
  for (const NetworkInfo& network : set.info.networks)
    if (network.kind == kGeneratorKind && network.maps.is_known() == any_directed)
      add_weights_to(checksum, used_weights(set, network.name));
  return checksum.hex();
}

}  // namespace torsor
