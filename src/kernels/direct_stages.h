// The inner loops of direct convolutions, for each instruction set: one row of results, one thread.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// Channels that go together in one call of row(): enough for the widest registers.
inline constexpr std::int64_t kMostOutBlocks = 2;
/// Channels of an image that is not blocked in full: it has fewer than a block, and one block all the same.
inline constexpr std::int64_t kMostFew = 4;

/// A row of results out[pixel][out_blocks][16] = start + sum over blocks of x, taps, lanes of
/// x[block][pixel * step + tap][lane] * weights[out block][block][tap][lane][16].
struct TapRow {
  std::int64_t pixels = 0;
  std::int64_t step = 1;                      // pixels of x from one result to the next: 1 or 2
  std::int64_t pixel = kBlock;                // floats of a pixel; what is not bfloat16 takes no other
  std::int64_t blocks = 0, block_stride = 0;  // of x
  std::int64_t lanes = kBlock;                // channels of x that a block has
  std::int64_t taps = 0;
  const std::int64_t* offsets = nullptr;  // of taps, from the place of the first pixel
  std::int64_t out_blocks = 1, weight_stride = 0, out_stride = 0;  // the strides from one of them to the next
  std::int64_t out_step = kBlock;                                  // from one result to the next
};

/// A row of results with few channels, out[channel][pixel] = start[channel] + sum over blocks, taps and lanes
/// of x[block][pixel + tap][lane] * weights[block][tap][channel][lane].
struct DotRow {
  std::int64_t pixels = 0;
  std::int64_t blocks = 0, block_stride = 0;
  std::int64_t taps = 0;
  const std::int64_t* offsets = nullptr;
  std::int64_t channels = 1;  // at most kMostFew
  std::int64_t out_stride = 0, out_step = 1;
};

/// sums[b block][lane][16] += sum over pixels of a[pixel][lane] * b[b block][pixel][16].
struct OuterRow {
  std::int64_t pixels = 0;
  std::int64_t lanes = kBlock, a_step = kBlock;
  std::int64_t blocks = 1, b_step = kBlock, b_stride = 0, sum_stride = 0;
};

struct DirectStages {
  /// `start`: [out_blocks][16], or null to add to what `out` holds.
  void (*row)(const TapRow&, const float* x, const float* weights, const float* start, float* out);
  void (*dots)(const DotRow&, const float* x, const float* weights, const float* start, float* out);
  void (*outer)(const OuterRow&, const float* a, const float* b, float* sums);
};

/// Of avx2 or avx512. Throws std::logic_error for plain.
const DirectStages& direct_stages(Isa isa);

}  // namespace torsor
