// libtorch's generators of random numbers in an archive.
#pragma once

#include <ATen/core/Generator.h>

#include <string>

#include "io/archive.h"

namespace torsor {

void save_generator(Archive& archive, const std::string& name, const at::Generator& generator);

/// Throws Error naming file and entry for what is no state of such a generator.
void load_generator(const Archive& archive, const std::string& name, at::Generator& generator);

}  // namespace torsor
