#include "report/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace torsor {
namespace {

using Pixel = std::array<std::uint8_t, 3>;

Image plain(std::int64_t width, std::int64_t height, Pixel color) {
  Image image = Image::blank(width, height, 3);
  for (std::size_t i = 0; i < image.bytes.size(); ++i) image.bytes[i] = color[i % 3];
  return image;
}

Pixel at(const Image& image, std::int64_t x, std::int64_t y) {
  const std::uint8_t* p = image.u8() + 3 * (y * image.width + x);
  return {p[0], p[1], p[2]};
}

constexpr Pixel kRed{200, 10, 20}, kGreen{10, 200, 20}, kBlue{1, 2, 250}, kPaper{240, 241, 242};

TEST(Grid, PlacesRowsAndColumnsBetweenMargins) {
  const GridOptions options{.margin = 2, .min_cell = 1, .background = kPaper};
  const Image grid = make_grid({{plain(5, 3, kRed), plain(5, 3, kGreen)}, {plain(5, 3, kBlue)}}, options);
  ASSERT_EQ(grid.width, 2 + 5 + 2 + 5 + 2);
  ASSERT_EQ(grid.height, 2 + 3 + 2 + 3 + 2);
  std::int64_t red = 0, green = 0, blue = 0, paper = 0;
  for (std::int64_t y = 0; y < grid.height; ++y)
    for (std::int64_t x = 0; x < grid.width; ++x) {
      const Pixel pixel = at(grid, x, y);
      red += pixel == kRed, green += pixel == kGreen, blue += pixel == kBlue, paper += pixel == kPaper;
    }
  EXPECT_EQ(red, 15);
  EXPECT_EQ(green, 15);
  EXPECT_EQ(blue, 15);
  EXPECT_EQ(paper, 16 * 12 - 45);
  EXPECT_EQ(at(grid, 2, 2), kRed);
  EXPECT_EQ(at(grid, 6, 4), kRed);
  EXPECT_EQ(at(grid, 9, 2), kGreen);
  EXPECT_EQ(at(grid, 2, 7), kBlue);
  EXPECT_EQ(at(grid, 9, 7), kPaper) << "a short row leaves its last cell empty";
}

TEST(Grid, EnlargesByRepeatingPixels) {
  Image image = plain(2, 2, kRed);
  for (int c = 0; c < 3; ++c)
    image.bytes[static_cast<std::size_t>(3 + c)] = kGreen[static_cast<std::size_t>(c)];
  const Image grid =
      make_grid({{image}}, {.margin = 0, .min_cell = 5});  // the least factor that reaches 5 is 3
  ASSERT_EQ(grid.width, 6);
  ASSERT_EQ(grid.height, 6);
  for (std::int64_t y = 0; y < 6; ++y)
    for (std::int64_t x = 0; x < 6; ++x)
      EXPECT_EQ(at(grid, x, y), x >= 3 && y < 3 ? kGreen : kRed) << x << "," << y;
}

TEST(Grid, LeavesLargeImagesAsTheyAre) {
  EXPECT_EQ(make_grid({{plain(128, 128, kRed)}}, {.margin = 0}).width, 128);
  EXPECT_EQ(make_grid({{plain(300, 200, kRed)}}, {.margin = 0}).height, 200);
}

TEST(Grid, NamesTheImageThatDoesNotFit) {
  const Image image = plain(4, 4, kRed);
  const auto message = [](const std::vector<std::vector<Image>>& rows) -> std::string {
    try {
      make_grid(rows);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({{image, image}, {image, plain(4, 5, kRed)}}), testing::HasSubstr("row 2, column 2"));
  EXPECT_THAT(message({{image, Image::blank(4, 4, 1)}}), testing::HasSubstr("8-bit RGB"));
  EXPECT_THAT(message({{image, Image::blank(4, 4, 3, PixelType::u16)}}), testing::HasSubstr("8-bit RGB"));
  EXPECT_THAT(message({{}, {}}), testing::HasSubstr("at least one image"));
  EXPECT_THAT(message({}), testing::HasSubstr("at least one image"));
}

}  // namespace
}  // namespace torsor
