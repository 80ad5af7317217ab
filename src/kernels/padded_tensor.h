// Padded images, for kernels that read beyond the edges.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/winograd_stages.h"

namespace torsor {

/// The layout [batch, blocks, height + 2 padding, width + 2 padding, 16]. Fewer than 16 channels occupy one
/// block, whose other lanes are undefined.
struct PaddedTensor {
  std::int64_t batch = 1, channels = 16, height = 0, width = 0, padding = 0;
  std::int64_t pixel_stride = kBlock;  // in floats

  std::int64_t blocks() const { return (channels + kBlock - 1) / kBlock; }
  std::int64_t lanes() const { return channels < kBlock ? channels : kBlock; }
  std::int64_t padded_height() const { return height + 2 * padding; }
  std::int64_t padded_width() const { return width + 2 * padding; }
  std::int64_t row_floats() const { return padded_width() * pixel_stride; }
  std::int64_t plane_floats() const { return padded_height() * row_floats(); }
  /// Includes one more line where pixels are narrower than a line, since whole lines are read.
  std::size_t floats() const {
    return static_cast<std::size_t>(batch * blocks() * plane_floats() + (pixel_stride < kBlock ? kBlock : 0));
  }
  /// The same in bfloat16: blocks of 32 channels (nChw32c), a pair of values in the place of each float.
  PaddedTensor bf16_blocked() const { return {batch, channels / 2, height, width, padding}; }
  /// Up to four channels in bfloat16, channels-last: four values a pixel, the unused ones zero.
  PaddedTensor bf16_channels_last() const { return {batch, channels, height, width, padding, 2}; }
  /// The offset of the image's first pixel in a plane.
  std::int64_t interior_offset() const { return padding * (row_floats() + pixel_stride); }
};

/// A range of the 16 floats of a line.
struct LaneRange {
  std::int64_t first, count;
};

/// Fills the padding of a plane from its interior. Sides must exceed the padding with PaddingMode::reflect.
void fill_padding(const PaddedTensor& tensor, PaddingMode mode, float* plane);
/// The same, of a range of each line only.
void fill_padding(const PaddedTensor& tensor, PaddingMode mode, float* plane, LaneRange lanes);

/// Gradient [padded_height, padded_width] of pixels of `lanes` floats -> [height, width]: in place, the
/// padding is added to the pixels that it reflects; then the interior is copied to `out`.
void reflection_pad_backward(const PaddedTensor& tensor, std::int64_t lanes, float* plane, float* out);

/// Packs planar [batch, channels, height, width] of fewer than 16 channels into a padded tensor.
void pad_planar(const PaddedTensor& tensor, PaddingMode mode, const float* planar, float* padded);

}  // namespace torsor
