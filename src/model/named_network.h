// A network of a model under its name.
#pragma once

#include <memory>
#include <string>

#include "nn/network.h"

namespace torsor {

struct NamedNetwork {
  std::string name;
  std::shared_ptr<Network> network;
};

}  // namespace torsor
