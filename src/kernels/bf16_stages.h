// Micro-kernels of convolutions with bfloat16 operands and fp32 accumulation, on one thread.
#pragma once

#include <cstdint>

#include "kernels/direct_stages.h"
#include "kernels/isa.h"

namespace torsor {

/// The operand type of a convolution. Its inputs, outputs and accumulators are fp32 either way.
enum class Operands { fp32, bf16 };

/// A cache line holds 16 floats, or 32 channels of a pixel in bfloat16 (blocked layout nChw32c).
inline constexpr std::int64_t kWideBlock = 2 * kBlock;

/// Several rows of a TapRow.
struct RowSpan {
  std::int64_t count = 1;
  std::int64_t step = 0, out_step = 0;  // from one to the next, in floats
};

/// The GEMM of a weight gradient, which reduces over pixels, 32 a step, for each tap:
/// sums[tap][b block][a block][16][16] += sum over rows, steps and pixels of a[a block][row][lane][pixel] *
/// b[b block][row][offset of the tap][pixel][16], with a transposed and b VNNI-packed over pixels:
/// [pixel / 2][16][2].
struct PixelProducts {
  std::int64_t rows = 1, steps = 1;
  std::int64_t a_block = 0, a_row = 0, a_lane = 0;  // strides of a, in values
  std::int64_t b_block = 0, b_row = 0;              // of b, in values
  std::int64_t taps = 1;
  const std::int64_t* offsets = nullptr;  // of b, in values
};
/// Accumulators of a tap.
inline constexpr std::int64_t kTapSums = 4 * kBlock * kBlock;

/// The layout of a kernel's partial sums by column: two blocks of four columns of four channels.
struct ColumnSums {
  std::int64_t pixels = 0, columns = 1;
  std::int64_t block_stride = 0;  // of sums, in floats
};

/// `x` and `weights` are bfloat16; TapRow counts pairs of values, as floats. Blocks of results, of a and of b
/// come in twos.
struct Bf16Stages {
  /// DirectStages::row for several rows. Weights are VNNI-packed, [block][tap][out block][16 pairs][16][2],
  /// and read sequentially; `bias` is not null, since one call reduces over all blocks.
  void (*rows)(const TapRow&, const RowSpan&, const float* x, const float* weights, const float* bias,
               float* out);
  /// fp32 -> bfloat16, round to nearest even; denormals may become zero.
  void (*round)(std::int64_t count, const float* x, std::uint16_t* out);
  /// [pixels][16] -> bfloat16, round to nearest even, in the half of each line that `half` points into.
  void (*narrow)(std::int64_t pixels, const float* x, float* half);
  /// Lines of 32 channels every `step` floats -> two blocks, VNNI-packed over pixels,
  /// [2][(pixels + 1) / 2][16][2], `block_stride` values apart.
  void (*vnni_pack)(std::int64_t pixels, std::int64_t step, const float* lines, std::uint16_t* out,
                    std::int64_t block_stride);
  /// out[pixel][4] = bias[4] + sum over columns of sums[column / 4][pixel + column][column % 4][4].
  void (*add_columns)(const ColumnSums&, const float* sums, const float* bias, float* out);
  /// [16 pairs][16][2] -> [16][32 pixels], rows `row_stride` values apart.
  void (*transpose_vnni)(const std::uint16_t* pairs, std::uint16_t* out, std::int64_t row_stride);
  void (*products)(const PixelProducts&, const std::uint16_t* a, const std::uint16_t* b, float* sums);
};

/// For avx512 the ones of AMX-BF16, null where CPU or operating system lack it; for plain the plain C++ ones;
/// otherwise null.
const Bf16Stages* bf16_stages(Isa isa);

/// Round to nearest even.
std::uint16_t to_bf16(float value);
float from_bf16(std::uint16_t bits);

}  // namespace torsor
