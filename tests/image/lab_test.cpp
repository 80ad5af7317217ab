// Lab colours of TIFFs against a colour manager.
#include "image/lab.h"

#include "image/test_pictures.h"

namespace torsor::formats {
namespace {

// ImageCms.applyTransform (Pillow with littlecms 2.19) of 8-bit Lab to sRGB, both profiles its own and
// nothing interpolated (NOOPTIMIZE).
struct Known {
  std::array<int, 3> lab, rgb;
};
constexpr Known kKnown[] = {
    {{183, 18, 25}, {218, 163, 131}},  {{80, 245, 35}, {69, 78, 10}},    {{9, 13, 234}, {20, 4, 43}},
    {{188, 25, 228}, {208, 166, 233}}, {{166, 9, 206}, {128, 156, 248}}, {{174, 7, 15}, {187, 161, 140}},
    {{220, 207, 67}, {144, 239, 73}},  {{183, 5, 74}, {209, 171, 0}},    {{202, 208, 28}, {100, 219, 141}},
    {{181, 213, 248}, {9, 195, 187}},  {{124, 65, 55}, {217, 45, 24}},   {{125, 76, 245}, {220, 8, 138}}};

TEST(Lab, IsWhatAColourManagerMakesOfIt) {
  Image image = Image::blank(12, 1, 3), offset = image;
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t c = 0; c < 3; ++c) {
      image.u8()[3 * i + c] = static_cast<std::uint8_t>(kKnown[i].lab[c]);
      offset.u8()[3 * i + c] = static_cast<std::uint8_t>(kKnown[i].lab[c] + (c == 0 ? 0 : 128));
    }
  lab_to_srgb(image, LabCoding::is_signed);
  lab_to_srgb(offset, LabCoding::is_offset);
  for (std::size_t i = 0; i < 36; ++i) EXPECT_NEAR(image.u8()[i], kKnown[i / 3].rgb[i % 3], 1) << i;
  EXPECT_TRUE(same(image, offset));
}

TEST(Lab, OfSixteenBitsIsTheSameFiner) {
  for (const LabCoding coding : {LabCoding::is_signed, LabCoding::is_offset}) {
    Image deep = Image::blank(12, 1, 3, PixelType::u16);
    const bool is_signed = coding == LabCoding::is_signed;
    for (std::size_t i = 0; i < 12; ++i) {
      deep.u16()[3 * i] = static_cast<std::uint16_t>(kKnown[i].lab[0] * (is_signed ? 257 : 256));
      for (std::size_t c = 1; c < 3; ++c)
        deep.u16()[3 * i + c] = static_cast<std::uint16_t>((kKnown[i].lab[c] + (is_signed ? 0 : 128)) * 256);
    }
    lab_to_srgb(deep, coding);
    for (std::size_t i = 0; i < 36; ++i) EXPECT_NEAR(deep.u16()[i] / 257.0, kKnown[i / 3].rgb[i % 3], 1) << i;
  }
}

TEST(Lab, WhiteAndBlackAreSrgbs) {
  Image image = Image::blank(2, 1, 3, PixelType::u16);
  image.u16()[0] = 65535;
  lab_to_srgb(image, LabCoding::is_signed);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(image.u16()[c], 65535, 65);
    EXPECT_EQ(image.u16()[3 + c], 0);
  }
}

// A TIFF that says so of its samples.
TEST(Lab, OfATiffComesAsRgbAndAlphaStays) {
  Image stored = Image::blank(12, 1, 4);
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t c = 0; c < 3; ++c) stored.u8()[4 * i + c] = static_cast<std::uint8_t>(kKnown[i].lab[c]);
    stored.u8()[4 * i + 3] = static_cast<std::uint8_t>(20 * i);
  }
  std::string tiff = encode_image("tif", stored);
  const std::string rgb = {'\x06', '\x01', '\x03', '\0', '\1', '\0', '\0', '\0', '\2', '\0'};  // tag 262
  const std::size_t at = tiff.find(rgb);
  ASSERT_NE(at, std::string::npos);
  tiff[at + 8] = 8;
  Notes notes;
  const Image image = decode_image(tiff, "lab.tif", notes);
  EXPECT_THAT(notes, ::testing::IsEmpty());
  ASSERT_EQ(image.channels, 4);
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(image.u8()[4 * i + c], kKnown[i].rgb[c], 1);
    EXPECT_EQ(image.u8()[4 * i + 3], 20 * i);
  }
}

}  // namespace
}  // namespace torsor::formats
