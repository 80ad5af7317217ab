#include "report/grid.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace torsor {

namespace {

const Image& first_image(const std::vector<std::vector<Image>>& rows) {
  for (const auto& row : rows)
    if (!row.empty()) return row.front();
  fail("a grid needs at least one image");
}

void check_cells(const std::vector<std::vector<Image>>& rows, const Image& first) {
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const Image& image = rows[r][c];
      if (image.type != PixelType::u8 || image.channels != 3)
        fail("row {}, column {} of the grid is not an 8-bit RGB image; convert it first", r + 1, c + 1);
      if (image.width != first.width || image.height != first.height)
        fail("row {}, column {} of the grid is {}x{}, the first image {}x{}; resize it first", r + 1, c + 1,
             image.width, image.height, first.width, first.height);
    }
}

Image filled(std::int64_t width, std::int64_t height, const std::array<std::uint8_t, 3>& color) {
  Image image = Image::blank(width, height, 3);
  for (std::int64_t i = 0; i < image.samples(); ++i) image.bytes[static_cast<std::size_t>(i)] = color[i % 3];
  return image;
}

void paste_enlarged(Image& page, const Image& image, std::int64_t left, std::int64_t top,
                    std::int64_t factor) {
  for (std::int64_t y = 0; y < image.height * factor; ++y) {
    const std::uint8_t* from = image.u8() + (y / factor) * image.width * 3;
    std::uint8_t* to = page.u8() + ((top + y) * page.width + left) * 3;
    for (std::int64_t x = 0; x < image.width * factor; ++x)
      std::memcpy(to + 3 * x, from + 3 * (x / factor), 3);
  }
}

}  // namespace

std::int64_t grid_enlargement(const Image& image, const GridOptions& options) {
  const std::int64_t side = std::max(image.width, image.height);
  return std::max<std::int64_t>(1, (options.min_cell + side - 1) / side);
}

Image make_grid(const std::vector<std::vector<Image>>& rows, const GridOptions& options) {
  const Image& first = first_image(rows);
  check_cells(rows, first);
  const std::int64_t factor = grid_enlargement(first, options);
  std::size_t columns = 0;
  for (const auto& row : rows) columns = std::max(columns, row.size());
  const std::int64_t step_x = first.width * factor + options.margin,
                     step_y = first.height * factor + options.margin;
  Image page = filled(options.margin + step_x * static_cast<std::int64_t>(columns),
                      options.margin + step_y * static_cast<std::int64_t>(rows.size()), options.background);
  std::int64_t top = options.margin;
  for (const auto& row : rows) {
    std::int64_t left = options.margin;
    for (const Image& image : row) {
      paste_enlarged(page, image, left, top, factor);
      left += step_x;
    }
    top += step_y;
  }
  return page;
}

}  // namespace torsor
