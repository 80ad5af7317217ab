// Micro-kernels of direct convolutions, for each instruction set: one row of results, on one thread.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// Blocks of output channels of one call of row(): enough for the widest registers.
inline constexpr std::int64_t kMaxOutBlocks = 2;
/// Channels of the small side of a small-channel convolution, which occupy one block.
inline constexpr std::int64_t kMaxSmallChannels = 4;

/// A batch-reduce GEMM for a row of results: out[pixel][out_blocks][16] = bias + sum over blocks of x, taps,
/// lanes of x[block][pixel * step + tap][lane] * weights[out block][block][tap][lane][16].
struct TapRow {
  std::int64_t pixels = 0;
  std::int64_t step = 1;                      // pixels of x from one result to the next: 1 or 2
  std::int64_t pixel_stride = kBlock;         // in floats; kBlock with fp32 operands
  std::int64_t blocks = 0, block_stride = 0;  // of x
  std::int64_t lanes = kBlock;                // channels of a block of x
  std::int64_t taps = 0;
  const std::int64_t* offsets = nullptr;                           // of taps, from the first pixel
  std::int64_t out_blocks = 1, weight_stride = 0, out_stride = 0;  // strides between blocks
  std::int64_t out_step = kBlock;                                  // from one result to the next
};

/// A row of results of a small result side, out[channel][pixel] = bias[channel] + sum over blocks, taps and
/// lanes of x[block][pixel + tap][lane] * weights[block][tap][channel][lane].
struct DotRow {
  std::int64_t pixels = 0;
  std::int64_t blocks = 0, block_stride = 0;
  std::int64_t taps = 0;
  const std::int64_t* offsets = nullptr;
  std::int64_t channels = 1;  // at most kMaxSmallChannels
  std::int64_t out_stride = 0, out_step = 1;
};

/// sums[b block][lane][16] += sum over pixels of a[pixel][lane] * b[b block][pixel][16].
struct OuterRow {
  std::int64_t pixels = 0;
  std::int64_t lanes = kBlock, a_step = kBlock;
  std::int64_t blocks = 1, b_step = kBlock, b_stride = 0, sum_stride = 0;
};

struct DirectStages {
  /// `bias`: [out_blocks][16]; null accumulates into `out`.
  void (*row)(const TapRow&, const float* x, const float* weights, const float* bias, float* out);
  void (*dots)(const DotRow&, const float* x, const float* weights, const float* bias, float* out);
  void (*outer)(const OuterRow&, const float* a, const float* b, float* sums);
};

/// Of avx2 or avx512. Throws std::logic_error for plain.
const DirectStages& direct_stages(Isa isa);

}  // namespace torsor
