// Images of bfloat16 for products over pixels.
#pragma once

#include <cstdint>

#include "kernels/bf16_stages.h"
#include "kernels/buffer.h"
#include "kernels/frame.h"

namespace torsor {

using Bf16Buffer = ValueBuffer<std::uint16_t>;

/// Pixels of a step of products, and its values: 16 channels of them. As many as a tile of weights has.
inline constexpr std::int64_t kStepPixels = kWideBlock, kStepValues = kStepPixels * kBlock;

inline std::int64_t steps_of(std::int64_t pixels) { return (pixels + kStepPixels - 1) / kStepPixels; }

/// Pixels of a channel beside each other: [blocks of 16][rows][16][pixels], zeros behind a row's last pixel.
struct TurnedImage {
  std::int64_t rows = 0, pixels = 0;
  std::int64_t steps() const { return steps_of(pixels); }
  std::int64_t lane_values() const { return steps() * kStepPixels; }
  std::int64_t row_values() const { return steps() * kStepValues; }
  std::int64_t block_values() const { return rows * row_values(); }
  /// With this image for a; the rows, b and the taps are the caller's.
  PixelProducts products() const;
};

/// Memory for a weight gradient: the image that is turned, the one in pairs, the sums.
struct ProductMemory {
  std::uint16_t *turned, *paired;
  float* sums;
};
/// So many values of each, of the thread that calls, with which they stay.
ProductMemory product_memory(std::int64_t turned, std::int64_t paired, std::int64_t sums);

/// One image of a frame of pairs, from the line at `first` of its first plane on.
void turn_image(const Bf16Stages& stages, const Frame& frame, const float* first, const TurnedImage& turned,
                std::uint16_t* out);

/// As Bf16Stages::pair_pixels, with zeros up to `steps` of products.
void pair_up(const Bf16Stages& stages, std::int64_t pixels, std::int64_t step, const float* lines,
             std::int64_t steps, std::uint16_t* out, std::int64_t block_stride);

}  // namespace torsor
