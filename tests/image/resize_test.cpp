// Bit-for-bit agreement with Pillow: stored pictures, and check sums of Pillow's results on made-up noise.
#include "image/resize.h"

#include "image/convert.h"

#include "core/json.h"
#include "image/test_pictures.h"

namespace torsor {
namespace {

// The same numbers as noise() in make_image_fixtures.py.
Image noise(std::int64_t width, std::int64_t height, std::int64_t channels) {
  Image image = Image::blank(width, height, channels);
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    std::uint32_t mixed = static_cast<std::uint32_t>(i) * 2654435761u + 12345u;
    mixed = (mixed ^ mixed >> 15) * 2246822519u;
    image.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(mixed >> 24);
  }
  return image;
}

Image channel(const Image& image, std::int64_t c) {
  Image out = Image::blank(image.width, image.height, 1);
  for (std::int64_t i = 0; i < out.samples(); ++i) out.u8()[i] = image.u8()[i * image.channels + c];
  return out;
}

TEST(Resize, EqualsPillowOnNoise) {
  const Json cases = read_json(kFixtures / "resize.json");
  ASSERT_GE(cases.size(), 40u);
  for (const Json& c : cases) {
    const Image image = noise(c["width"], c["height"], c["channels"]);
    const Image out = resize_bicubic(image, c["to_width"], c["to_height"]);
    EXPECT_EQ(out.width, c["to_width"]);
    EXPECT_EQ(out.height, c["to_height"]);
    EXPECT_EQ(crc32(out.bytes), c["crc32"].get<std::uint32_t>()) << c.dump();
  }
}

TEST(Resize, EqualsPillowOnStoredPictures) {
  for (const char* mode : {"grey", "rgb"})
    for (const auto& [width, height] : {std::pair{60, 47}, {17, 11}, {41, 50}, {23, 29}}) {
      const Image source = read_image(kFixtures / fmt::format("resize_{}.png", mode));
      const Image expected = read_image(kFixtures / fmt::format("resize_{}_{}x{}.png", mode, width, height));
      EXPECT_EQ(largest_difference(resize_bicubic(source, width, height), expected), 0)
          << mode << " " << width << "x" << height;
    }
}

TEST(Resize, ChannelsAreIndependent) {
  for (const std::int64_t channels : {2, 4, 7}) {
    const Image image = noise(53, 41, channels);
    const Image out = resize_bicubic(image, 64, 20);
    for (std::int64_t c = 0; c < channels; ++c)
      EXPECT_TRUE(same(channel(out, c), resize_bicubic(channel(image, c), 64, 20))) << channels << " " << c;
  }
}

TEST(Resize, ConstantsStayConstant) {
  for (const int value : {0, 1, 127, 255}) {
    Image image = Image::blank(37, 29, 3);
    std::fill(image.bytes.begin(), image.bytes.end(), static_cast<std::uint8_t>(value));
    for (const auto& [width, height] : {std::pair{100, 77}, {11, 5}, {37, 30}})
      EXPECT_THAT(resize_bicubic(image, width, height).bytes, ::testing::Each(value));
  }
}

TEST(Resize, SameSizeIsACopy) {
  const Image image = noise(31, 22, 3);
  EXPECT_TRUE(same(resize_bicubic(image, 31, 22), image));
}

// As exact as the 8-bit path without its rounding: between them lies what both passes round.
TEST(Resize, FloatsAreTheSameWithoutRounding) {
  const Image shallow = smooth_picture(37, 29, 3, PixelType::u8);
  for (const auto& [width, height] : {std::pair{20, 40}, {64, 11}, {37, 58}, {80, 29}}) {
    const Image rounded = resize_bicubic(shallow, width, height);
    const Image exact = resize_bicubic(to_f32(shallow), width, height);
    ASSERT_EQ(exact.type, PixelType::f32);
    ASSERT_EQ(exact.samples(), rounded.samples());
    double largest = 0;
    for (std::int64_t i = 0; i < exact.samples(); ++i)
      largest = std::max(largest, std::abs(std::clamp<double>(exact.f32()[i], 0, 255) - rounded.u8()[i]));
    EXPECT_LT(largest, 1.3) << width << "x" << height;
    EXPECT_GT(largest, 0.3) << "nothing would have been rounded";
  }
}

TEST(Resize, FloatsKeepConstantsAndScale) {
  Image image = Image::blank(9, 7, 1, PixelType::f32);
  std::fill_n(image.f32(), image.samples(), 40000.0f);
  const Image out = resize_bicubic(image, 5, 16);
  for (std::int64_t i = 0; i < out.samples(); ++i) EXPECT_FLOAT_EQ(out.f32()[i], 40000.0f);
}

TEST(Resize, RefusesEmptySizesAndOtherTypes) {
  EXPECT_THROW(resize_bicubic(noise(4, 4, 1), 0, 4), Error);
  EXPECT_THROW(resize_bicubic(noise(4, 4, 1), 4, -1), Error);
  EXPECT_THROW(resize_bicubic(smooth_picture(4, 4, 1, PixelType::u16), 8, 8), Error);
  EXPECT_NO_THROW(resize_stored(smooth_picture(4, 4, 1, PixelType::u16), 8, 8));
}

TEST(ResizeStored, OfSixteenBitsIsTheFloatsRoundedAndClipped) {
  Image image = Image::blank(4, 4, 1, PixelType::u16);
  for (std::int64_t i = 0; i < image.samples(); ++i) image.u16()[i] = i % 4 < 2 ? 0 : 65535;
  image.no_data = 7;
  const Image out = resize_stored(image, 9, 9), floats = resize_bicubic(to_f32(image), 9, 9);
  ASSERT_EQ(out.type, PixelType::u16);
  EXPECT_EQ(out.no_data, 7);
  bool overshoots = false;
  for (std::int64_t i = 0; i < out.samples(); ++i) {
    overshoots = overshoots || floats.f32()[i] < -1 || floats.f32()[i] > 65536;
    EXPECT_NEAR(out.u16()[i], std::clamp(floats.f32()[i], 0.0F, 65535.0F), 0.5) << i;
  }
  EXPECT_TRUE(overshoots) << "or nothing is clipped";
  EXPECT_EQ(resize_stored(image, 4, 4).bytes, image.bytes);
  const Image eight = smooth_picture(6, 5, 3, PixelType::u8);
  EXPECT_EQ(resize_stored(eight, 9, 4).bytes, resize_bicubic(eight, 9, 4).bytes);
}

}  // namespace
}  // namespace torsor
