// bfloat16 images, repacked for GEMMs that reduce over pixels.
#pragma once

#include <cstdint>

#include "kernels/bf16_stages.h"
#include "kernels/buffer.h"
#include "kernels/padded_tensor.h"

namespace torsor {

using Bf16Buffer = ValueBuffer<std::uint16_t>;

/// Pixels of a reduction step, and the values of 16 channels of them: those of an AMX tile.
inline constexpr std::int64_t kStepPixels = kWideBlock, kStepValues = kStepPixels * kBlock;

inline std::int64_t steps_of(std::int64_t pixels) { return (pixels + kStepPixels - 1) / kStepPixels; }

/// A transposed image, channels as rows of pixels: [blocks of 16][rows][16][pixels]; zeros follow a row's
/// last pixel.
struct TransposedImage {
  std::int64_t rows = 0, pixels = 0;
  std::int64_t steps() const { return steps_of(pixels); }
  std::int64_t lane_values() const { return steps() * kStepPixels; }
  std::int64_t row_values() const { return steps() * kStepValues; }
  std::int64_t block_values() const { return rows * row_values(); }
  /// With this image as a; rows, b and taps are set by the caller.
  PixelProducts products() const;
};

/// Scratch memory of a weight gradient: the transposed image, the VNNI-packed one, the accumulators.
struct WeightGradientScratch {
  std::uint16_t *transposed, *vnni;
  float* sums;
};
/// So many values of each, thread-local and kept.
WeightGradientScratch weight_gradient_scratch(std::int64_t transposed, std::int64_t vnni, std::int64_t sums);

/// Transposes one image of a bfloat16 padded tensor, from the line at `first` of its first plane on.
void transpose_image(const Bf16Stages& stages, const PaddedTensor& tensor, const float* first,
                     const TransposedImage& transposed, std::uint16_t* out);

/// Bf16Stages::vnni_pack, with zeros up to `steps` reduction steps.
void vnni_pack_row(const Bf16Stages& stages, std::int64_t pixels, std::int64_t step, const float* lines,
                   std::int64_t steps, std::uint16_t* out, std::int64_t block_stride);

}  // namespace torsor
