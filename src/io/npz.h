// NumPy archives (.npz) and arrays (.npy).
#pragma once

#include <filesystem>

#include "io/tensor_map.h"

namespace torsor {

/// All arrays of a .npz (stored or deflated) in archive order, names without ".npy". C and Fortran order; f8
/// f4 f2 i8 i4 i2 i1 u1 b1, little endian. The format: numpy/lib/format.py. Throws Error naming the file and
/// the array for anything else.
TensorMap read_npz(const std::filesystem::path& path);

}  // namespace torsor
