// Sets of points in the plane that transport is shown on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// moons (two interlocked half circles), ring, checkerboard (every other square of 4 x 4), normal.
const std::vector<std::string>& planar_set_names();

/// Random points of such a set, about the origin and of a standard deviation near 1 in either direction:
/// [count,2] float64. Throws std::logic_error for another name.
at::Tensor planar_points(const std::string& set, std::int64_t count, Rng& rng);

}  // namespace torsor
