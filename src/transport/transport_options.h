// What `torsor transport` can be asked for; the result states it.
#pragma once

#include <cstdint>
#include <string>

#include "core/options.h"
#include "metric/feature_extractor.h"
#include "transport/map_transport.h"
#include "transport/pair_costs.h"

namespace torsor {

struct TransportOptions {
  CostOptions cost;
  FeatureOptions features = {.features = "pixels"};
  std::string groups;  // pattern of names, see metric/groups.h
  std::string resize;
  std::int64_t max_images = 0;
  std::int64_t subsamples = 50;
  std::int64_t splits = 10;
  std::int64_t transport_seed = 0;
  std::int64_t path_images = 3;

  void describe(OptionSet& o);
  bool compares_pixels() const { return features.features == "pixels"; }
  MapOptions map() const { return {subsamples, splits, static_cast<std::uint64_t>(transport_seed)}; }
};

}  // namespace torsor
