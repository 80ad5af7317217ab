// The GEMMs of Winograd's convolution, for each instruction set: one position and panel, on one thread.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// out [width / 16][tiles][16] = rows [depth / 16][tiles][16] x panels [width / 16][depth][16].
struct TileProduct {
  std::int64_t tiles, depth, width;
  std::int64_t row_stride, out_stride;  // from one block of 16 to the next
};

/// out [width / 16][depth][16] = sum over tiles of rows[tile] x gradients[tile].
struct WeightProduct {
  std::int64_t tiles, depth, width;
  std::int64_t row_stride, gradient_stride;
};

struct WinogradProducts {
  void (*multiply)(const TileProduct&, const float* rows, const float* panels, float* out);
  void (*multiply_weights)(const WeightProduct&, const float* rows, const float* gradients, float* out);
};

/// Of avx2 or avx512. Throws std::logic_error for plain.
const WinogradProducts& winograd_products(Isa isa);

}  // namespace torsor
