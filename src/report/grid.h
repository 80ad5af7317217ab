// Sample grids: many small images as one.
#pragma once

#include <array>
#include <vector>

#include "image/image.h"

namespace torsor {

struct GridOptions {
  std::int64_t margin = 4;  // pixels around and between the cells, after enlarging
  std::int64_t min_cell =
      128;  // smaller images are enlarged by the least integer factor that reaches this side
  std::array<std::uint8_t, 3> background{255, 255, 255};
};

/// How many pixels wide and high each pixel of a grid's images is: 1 or more.
std::int64_t grid_enlargement(const Image& image, const GridOptions& options = {});

/// Lays out rows of images, all u8 RGB of one size, one row of the grid each; a short row leaves its last
/// cells empty. Enlarging repeats pixels (nearest neighbour), so that a grid shows what is there. Throws
/// Error when there is no image, or naming row and column of one with another size or type.
Image make_grid(const std::vector<std::vector<Image>>& rows, const GridOptions& options = {});

}  // namespace torsor
