// The inner loops of convolutions whose operands are bfloat16 and whose sums are floats: one thread.
#pragma once

#include <cstdint>

#include "kernels/direct_stages.h"
#include "kernels/isa.h"

namespace torsor {

/// What a convolution multiplies. Images outside of it and the sums inside are floats either way.
enum class Operands { fp32, bf16 };

/// A line of memory holds 16 floats, or 32 channels of a pixel in bfloat16: pairs in the place of floats.
inline constexpr std::int64_t kWideBlock = 2 * kBlock;

/// Rows one below the other.
struct RowSpan {
  std::int64_t count = 1;
  std::int64_t step = 0, out_step = 0;  // from one to the next, in floats
};

/// Products over pixels, 32 at a step, for each of some taps: sums[tap][b block][a block][16][16] += sum over
/// rows, steps and pixels of a[a block][row][lane][pixel] * b[b block][row][offset of the tap][pixel][16],
/// b's pixels paired: [pair][16][2].
struct PixelProducts {
  std::int64_t rows = 1, steps = 1;
  std::int64_t a_block = 0, a_row = 0, a_lane = 0;  // strides of a, in values
  std::int64_t b_block = 0, b_row = 0;              // of b, in values
  std::int64_t taps = 1;
  const std::int64_t* offsets = nullptr;  // of b, in values
};
/// Sums of a tap.
inline constexpr std::int64_t kTapSums = 4 * kBlock * kBlock;

/// How what the columns of a kernel give is laid out: two blocks of four columns of four channels.
struct ColumnSums {
  std::int64_t pixels = 0, columns = 1;
  std::int64_t block_stride = 0;  // of sums, in floats
};

/// Values of `x` and `weights` come in pairs; TapRow counts pairs. Blocks of results and of a and b go two at
/// a time.
struct Bf16Stages {
  /// See DirectStages::row, for several. Weights are [block][tap][out block][16 pairs][16][2], so that they
  /// are read in one go; `start` is not null, since all blocks go together.
  void (*rows)(const TapRow&, const RowSpan&, const float* x, const float* weights, const float* start,
               float* out);
  /// Rounded to nearest, to even; what is smaller than floats' normal range may become zero.
  void (*round)(std::int64_t count, const float* x, std::uint16_t* out);
  /// [pixels][16] -> rounded to nearest, to even, the half of each line that `half` points into.
  void (*narrow)(std::int64_t pixels, const float* x, float* half);
  /// The same of two blocks with pixels paired, [(pixels + 1) / 2][16][2]: lines every `step` floats -> `out`
  /// of the first block, and of the second `block_stride` values further.
  void (*pair_pixels)(std::int64_t pixels, std::int64_t step, const float* lines, std::uint16_t* out,
                      std::int64_t block_stride);
  /// out[pixel][4] = start[4] + sum over columns of sums[column / 4][pixel + column][column % 4][4].
  void (*add_columns)(const ColumnSums&, const float* sums, const float* start, float* out);
  /// [16 pairs][16][2] -> [16][32 pixels], rows `row_stride` values apart.
  void (*turn_pairs)(const std::uint16_t* pairs, std::uint16_t* out, std::int64_t row_stride);
  void (*products)(const PixelProducts&, const std::uint16_t* a, const std::uint16_t* b, float* sums);
};

/// For avx512 where the processor multiplies tiles of bfloat16 (AMX) and the system lets it, else null; for
/// plain the twins.
const Bf16Stages* bf16_stages(Isa isa);

/// Rounded to nearest, to even.
std::uint16_t to_bf16(float value);
float from_bf16(std::uint16_t bits);

}  // namespace torsor
