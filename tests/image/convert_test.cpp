#include "image/convert.h"

#include "image/test_pictures.h"

namespace torsor {
namespace {

Image floats(const std::vector<float>& values) {
  Image image = Image::blank(static_cast<std::int64_t>(values.size()), 1, 1, PixelType::f32);
  std::copy(values.begin(), values.end(), image.f32());
  return image;
}

TEST(ToF32, KeepsTheSamplesOfAnyType) {
  Image deep = Image::blank(65536, 1, 1, PixelType::u16);
  for (int i = 0; i < 65536; ++i) deep.u16()[i] = static_cast<std::uint16_t>(i);
  const Image out = to_f32(deep);
  ASSERT_EQ(out.type, PixelType::f32);
  for (int i = 0; i < 65536; ++i) ASSERT_EQ(out.f32()[i], static_cast<float>(i));
  const Image own = floats({-2.5f, 0.5f, 1e9f});
  EXPECT_TRUE(same(to_f32(own), own));
  EXPECT_EQ(to_f32(smooth_picture(5, 4, 3, PixelType::u8)).channels, 3);
}

TEST(ToU8ByLargest, KeepsWhatEightBitsCanOfAnyScale) {
  const Image small = smooth_picture(7, 5, 3, PixelType::u8);
  EXPECT_TRUE(same(to_u8_by_largest(small), small));
  Image deep = Image::blank(4, 1, 1, PixelType::u16);  // 12 bits of 16
  const std::vector<std::uint16_t> samples = {0, 1024, 2047, 4095};
  std::copy(samples.begin(), samples.end(), deep.u16());
  EXPECT_EQ(to_u8_by_largest(deep).bytes, (std::vector<std::uint8_t>{0, 64, 127, 255}));
  EXPECT_EQ(to_u8_by_largest(floats({0.0f, 1.0f, 2.0f})).bytes, (std::vector<std::uint8_t>{0, 128, 255}));
  EXPECT_EQ(to_u8_by_largest(floats({0.0f, 0.0f})).bytes, (std::vector<std::uint8_t>{0, 0}));
}

TEST(ToU8ByLargest, OpacityIsNoBrightness) {
  Image deep = Image::blank(2, 1, 2, PixelType::u16);
  const std::vector<std::uint16_t> samples = {100, 65535, 200, 65535};
  std::copy(samples.begin(), samples.end(), deep.u16());
  EXPECT_EQ(to_u8_by_largest(deep).bytes, (std::vector<std::uint8_t>{128, 255, 255, 255}));
}

TEST(ToU8ByLargest, RefusesWhatHasNoBlack) {
  EXPECT_THROW(to_u8_by_largest(floats({0.0f, NAN})), Error);
  EXPECT_THROW(to_u8_by_largest(floats({-1.0f, 2.0f})), Error);
}

TEST(WithChannels, GreyByPillowsFormula) {
  Image rgb = Image::blank(4, 1, 3);
  rgb.bytes = {255, 255, 255, 255, 0, 0, 0, 255, 0, 10, 20, 200};
  // Image.fromarray(rgb).convert("L") gives these.
  EXPECT_EQ(with_channels(rgb, 1).bytes, (std::vector<std::uint8_t>{255, 76, 150, 38}));
}

TEST(WithChannels, OtherDepthsHaveTheSameWeights) {
  Image deep = Image::blank(2, 1, 3, PixelType::u16);
  const std::vector<std::uint16_t> colours = {65535, 65535, 65535, 65535, 0, 0};
  std::copy(colours.begin(), colours.end(), deep.u16());
  const Image grey = with_channels(deep, 1);
  EXPECT_EQ(grey.u16()[0], 65535);
  EXPECT_EQ(grey.u16()[1], (19595u * 65535u + 32768u) >> 16);
  const Image exact = with_channels(to_f32(deep), 1);
  EXPECT_EQ(exact.f32()[0], 65535.0f);
  EXPECT_FLOAT_EQ(exact.f32()[1], 19595.0f * 65535.0f / 65536.0f);
}

TEST(WithChannels, AlphaIsDroppedAndGreyReplicated) {
  Image la = Image::blank(2, 1, 2);
  la.bytes = {10, 255, 20, 0};
  EXPECT_EQ(with_channels(la, 1).bytes, (std::vector<std::uint8_t>{10, 20}));
  EXPECT_EQ(with_channels(la, 3).bytes, (std::vector<std::uint8_t>{10, 10, 10, 20, 20, 20}));
  Image rgba = Image::blank(1, 1, 4);
  rgba.bytes = {1, 2, 3, 0};
  EXPECT_EQ(with_channels(rgba, 3).bytes, (std::vector<std::uint8_t>{1, 2, 3}));
  Image grey = Image::blank(1, 1, 1);
  grey.bytes = {9};
  EXPECT_EQ(with_channels(grey, 3).bytes, (std::vector<std::uint8_t>{9, 9, 9}));
}

TEST(WithChannels, OtherCountsOnlyWhenEqual) {
  const Image five = smooth_picture(3, 2, 5, PixelType::u8);
  EXPECT_TRUE(same(with_channels(five, 5), five));
  EXPECT_THROW(with_channels(five, 3), Error);
  EXPECT_THROW(with_channels(smooth_picture(3, 2, 3, PixelType::u8), 4), Error);
  const Image wide = smooth_picture(3, 2, 3, PixelType::u16);
  EXPECT_TRUE(same(with_channels(wide, 3), wide));
}

TEST(Flip, MirrorsEveryTypeAndBackAgain) {
  for (const PixelType type : {PixelType::u8, PixelType::u16, PixelType::f32}) {
    const Image image = smooth_picture(7, 4, 3, type);
    const Image flipped = flip_horizontal(image);
    for (std::int64_t y = 0; y < 4; ++y)
      for (std::int64_t x = 0; x < 7; ++x)
        for (std::int64_t c = 0; c < 3; ++c)
          ASSERT_EQ(sample(flipped, (y * 7 + x) * 3 + c), sample(image, (y * 7 + 6 - x) * 3 + c));
    EXPECT_TRUE(same(flip_horizontal(flipped), image));
  }
}

TEST(Crop, TakesTheRectangle) {
  const Image image = smooth_picture(9, 6, 3, PixelType::u16);
  const Image part = crop(image, 2, 1, 5, 4);
  ASSERT_EQ(part.width, 5);
  ASSERT_EQ(part.height, 4);
  for (std::int64_t y = 0; y < 4; ++y)
    for (std::int64_t i = 0; i < 5 * 3; ++i)
      ASSERT_EQ(part.u16()[y * 15 + i], image.u16()[((y + 1) * 9 + 2) * 3 + i]);
  EXPECT_TRUE(same(crop(image, 0, 0, 9, 6), image));
}

TEST(Crop, RefusesWhatLeavesTheImage) {
  const Image image = smooth_picture(9, 6, 3, PixelType::u8);
  EXPECT_THROW(crop(image, 5, 0, 5, 2), Error);
  EXPECT_THROW(crop(image, 0, 5, 2, 2), Error);
  EXPECT_THROW(crop(image, -1, 0, 2, 2), Error);
  EXPECT_THROW(crop(image, 0, 0, 0, 2), Error);
  EXPECT_THROW(crop(image, INT64_MAX, 0, 1, 1), Error);
}

TEST(Blank, IsZeroAndNeedsASize) {
  const Image image = Image::blank(3, 2, 4, PixelType::f32);
  EXPECT_EQ(image.bytes, std::vector<std::uint8_t>(3 * 2 * 4 * 4, 0));
  EXPECT_THROW(Image::blank(0, 2, 1), Error);
  EXPECT_THROW(Image::blank(2, -1, 1), Error);
  EXPECT_THROW(Image::blank(2, 1, 0), Error);
}

}  // namespace
}  // namespace torsor
