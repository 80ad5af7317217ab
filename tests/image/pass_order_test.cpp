// Which axis Pillow 13 resizes first: told apart by the rounding between the passes.
#include <gtest/gtest.h>

#include <random>

#include "image/resize.h"

namespace torsor {
namespace {

Image noise(std::int64_t width, std::int64_t height) {
  Image image = Image::blank(width, height, 3);
  std::mt19937 random(7);
  for (std::uint8_t& byte : image.bytes) byte = static_cast<std::uint8_t>(random() >> 24);
  return image;
}

// Each call changes one side only, so that the order is the caller's.
Image columns_first(const Image& image, std::int64_t width, std::int64_t height) {
  return resize_bicubic(resize_bicubic(image, width, image.height), width, height);
}
Image rows_first(const Image& image, std::int64_t width, std::int64_t height) {
  return resize_bicubic(resize_bicubic(image, image.width, height), width, height);
}

TEST(PassOrder, Pillow13TakesRowsFirstWhereTheyShrinkByMoreThanTwiceAsMuch) {
  struct Case {
    std::int64_t width, height, to_width, to_height;
    bool rows;
  };
  // Sizes for which Pillow 13.0 was seen to do so; the two in the middle stand on either side of the limit.
  for (const Case& c : {Case{75, 61, 76, 60, true},
                        {73, 98, 70, 23, true},
                        {148, 146, 84, 17, true},
                        {149, 105, 111, 29, false},
                        {102, 107, 78, 64, false},
                        {24, 92, 141, 115, false},
                        {56, 22, 66, 95, false}}) {
    SCOPED_TRACE(std::to_string(c.width) + "x" + std::to_string(c.height));
    const Image image = noise(c.width, c.height);
    const Image columns = columns_first(image, c.to_width, c.to_height);
    const Image rows = rows_first(image, c.to_width, c.to_height);
    ASSERT_NE(columns.bytes, rows.bytes);
    EXPECT_EQ(resize_bicubic(image, c.to_width, c.to_height).bytes, columns.bytes);
    EXPECT_EQ(resize_bicubic(image, c.to_width, c.to_height, PassOrder::pillow_13).bytes,
              c.rows ? rows.bytes : columns.bytes);
  }
}

}  // namespace
}  // namespace torsor
