#include "interchange/identity_source.h"

#include "core/error.h"

namespace torsor {

WeightSet identity_weights() {
  GeneratorOptions options;
  options.net_g = kIdentityGenerator;
  WeightSet set;
  set.source = kIdentityModel;
  set.what = "the model that copies, built in";
  set.info.type = kIdentityModel;
  set.info.domains["a"].name = "A";
  set.info.domains["b"].name = "B";
  for (const Direction& direction : {kAToB, kBToA}) {
    set.info.networks.push_back(generator_info(direction, options));
    set.weights[set.info.networks.back().name] = {};
  }
  std::error_code ec;
  if (std::filesystem::exists(kIdentityModel, ec))
    set.notes.push_back("identity is the model that copies; what lies here under that name is ./identity");
  return set;
}

}  // namespace torsor
