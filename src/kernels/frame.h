// Images with room around them, for kernels that read over their edges.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/winograd_stages.h"

namespace torsor {

/// [batch, blocks, height + 2 border, width + 2 border, 16]. Fewer than 16 channels take a block whose other
/// lanes hold anything.
struct Frame {
  std::int64_t batch = 1, channels = 16, height = 0, width = 0, border = 0;
  std::int64_t pixel = kBlock;  // floats from one pixel to the next

  std::int64_t blocks() const { return (channels + kBlock - 1) / kBlock; }
  std::int64_t lanes() const { return channels < kBlock ? channels : kBlock; }
  std::int64_t full_height() const { return height + 2 * border; }
  std::int64_t full_width() const { return width + 2 * border; }
  std::int64_t row_floats() const { return full_width() * pixel; }
  std::int64_t plane_floats() const { return full_height() * row_floats(); }
  /// Behind narrow pixels there is a line more, since lines are read from each of them.
  std::size_t floats() const {
    return static_cast<std::size_t>(batch * blocks() * plane_floats() + (pixel < kBlock ? kBlock : 0));
  }
  /// The same with values of bfloat16, whose pairs take the places of floats: blocks are of 32 channels.
  Frame paired() const { return {batch, channels / 2, height, width, border}; }
  /// Of up to four channels with bfloat16: four values a pixel, those that are no channel's zero.
  Frame few() const { return {batch, channels, height, width, border, 2}; }
  /// Where the image begins in a plane.
  std::int64_t inside() const { return border * (row_floats() + pixel); }
};

/// Part of a line of 16 floats.
struct LinePart {
  std::int64_t first, count;
};

/// What lies around the image of one plane whose inside is written. Sides must exceed the border where it
/// is mirrored.
void fill_border(const Frame& frame, Border border, float* plane);
/// The same in this part of each line alone.
void fill_border(const Frame& frame, Border border, float* plane, LinePart part);

/// Adds the mirrored border of a gradient [full_height, full_width] of pixels of `lanes` floats to the inside
/// and takes that out: [height, width]. The plane is written over.
void fold_border(const Frame& frame, std::int64_t lanes, float* plane, float* out);

/// Planar [batch, channels, height, width] of fewer than 16 channels into its frame.
void frame_planar(const Frame& frame, Border border, const float* planar, float* framed);

}  // namespace torsor
