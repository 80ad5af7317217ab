// What tells the generators of two models apart.
#pragma once

#include <string>

#include "model/model_file.h"

namespace torsor {

/// XXH3-128 of the weights that the generators of known direction are used with (where no direction is known,
/// all generators), in the order of the set's networks: keys, sorted, and values, 32 hexadecimal digits. The
/// same whatever file they lie in.
std::string hash_of_generators(const WeightSet& set);

}  // namespace torsor
