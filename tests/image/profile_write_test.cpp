// Images are written in the colours of their profile, which is embedded.
#include "image/made_profiles.h"

namespace torsor {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Image with_profile(Image image, IccProfile profile) {
  image.profile = std::move(profile);
  return image;
}

// sRGB colours that the profiles of these tests can show, none of them dark.
Image muted(PixelType type, std::int64_t channels = 3) {
  Image image = smooth_picture(40, 30, channels, type);
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    if (type == PixelType::u8) image.u8()[i] = static_cast<std::uint8_t>(60 + image.u8()[i] / 2);
    if (type == PixelType::u16) image.u16()[i] = static_cast<std::uint16_t>(15000 + image.u16()[i] / 2);
    if (type == PixelType::f32) image.f32()[i] = 0.2F + (image.f32()[i] + 2) / 10;
  }
  return image;
}

// The profile of a file, and its samples whatever that says.
IccProfile profile_in(const std::string& file) { return decode_image(file, "written").profile; }
Image stored_in(const std::string& file) {
  return ImageFile(file, "written", PageUse::images, Colours::as_stored).read(0);
}

TEST(WrittenProfiles, AreThoseOfTheImageInEveryFormat) {
  const IccProfile profile = rgb_profile(kAdobeRgb);
  const Image image = with_profile(muted(PixelType::u8), profile);
  EncodeOptions options;
  options.webp_quality = 100;
  for (const std::string extension : {"png", "tif", "webp", "jpg"}) {
    const std::string file = encode_image(extension, image, options);
    ASSERT_NE(profile_in(file), nullptr) << extension;
    EXPECT_EQ(*profile_in(file), *profile) << extension;
    const Image stored = stored_in(file);
    EXPECT_GT(largest_difference(stored, image), 5) << "not in the profile's colours";
    const double worst = largest_difference(decode_image(file, "again"), image);
    EXPECT_LE(worst, extension == "jpg" ? 12 : 2) << extension;  // steps of a larger space are coarser
  }
}

TEST(WrittenProfiles, BringEveryDepthBack) {
  for (const MadeRgb& made : {kAdobeRgb, kDisplayP3, kLinear})
    for (const auto& [type, units] : {std::pair{PixelType::u16, 4.0}, {PixelType::f32, 1e-4}}) {
      const Image image = with_profile(muted(type), rgb_profile(made));
      const Image again = decode_image(encode_image("tif", image), "again.tif");
      EXPECT_LE(largest_difference(again, image), units) << made.name;
    }
}

TEST(WrittenProfiles, OfGreyBringItBack) {
  const Image image = with_profile(muted(PixelType::u8, 1), grey_profile(1.8));
  for (const std::string extension : {"png", "tif", "jpg"}) {
    const std::string file = encode_image(extension, image);
    EXPECT_EQ(*profile_in(file), *image.profile);
    EXPECT_LE(largest_difference(decode_image(file, "again"), image), extension == "jpg" ? 6 : 1)
        << extension;
  }
  EXPECT_THAT(error_of([&] { encode_image("webp", image, {}, "a.webp"); }),
              AllOf(HasSubstr("a.webp"), HasSubstr("grey")));
}

TEST(WrittenProfiles, OfSrgbLeaveEveryByte) {
  for (const std::int64_t channels : {1, 3}) {
    const Image plain = smooth_picture(20, 10, channels, PixelType::u8),
                image = with_profile(plain, srgb_profile());
    for (const std::string extension : {"png", "tif", "jpg", "bmp"}) {
      const std::string file = encode_image(extension, image), without = encode_image(extension, plain);
      Notes notes;
      EXPECT_TRUE(same(decode_image(file, "a", notes), decode_image(without, "b"))) << extension;
      EXPECT_THAT(notes, IsEmpty()) << extension;
      EXPECT_EQ(file == without, extension == "bmp") << extension;
    }
  }
  EXPECT_NE(encode_image("png", with_profile(muted(PixelType::u8), srgb_profile())).find("sRGB"),
            std::string::npos);
}

// Of one image the same file on every day.
TEST(WrittenProfiles, OfSrgbHaveNoDateOfToday) {
  const IccProfile profile = srgb_profile();
  EXPECT_EQ(profile->substr(24, 2), "\x07\xCF");
  EXPECT_EQ(profile.get(), srgb_profile().get());
}

TEST(WrittenProfiles, ThatCannotBeAnOutputsAreRefused) {
  const Image image = muted(PixelType::u8);
  const auto message = [&](const IccProfile& profile) {
    return error_of([&] { encode_image("png", with_profile(image, profile), {}, "a.png"); });
  };
  EXPECT_THAT(message(table_profile(cmsSigRgbData)),
              AllOf(HasSubstr("a.png: "), HasSubstr("scanner"), HasSubstr("how its colours are made")));
  EXPECT_THAT(message(table_profile(cmsSigCmykData)), AllOf(HasSubstr("inks"), HasSubstr("CMYK")));
  EXPECT_THAT(message(grey_profile(1.8)), HasSubstr("grey samples, for 3 channels"));
  EXPECT_THAT(message(std::make_shared<const std::string>("no profile")), HasSubstr("not valid"));
  Image bright = with_profile(muted(PixelType::f32), rgb_profile(kAdobeRgb));
  for (std::int64_t i = 0; i < bright.samples(); ++i) bright.f32()[i] *= 255;
  EXPECT_THAT(error_of([&] { encode_image("tif", bright, {}, "a.tif"); }),
              HasSubstr("most samples are above 1"));
  check_profile_fits("a.png", rgb_profile(kAdobeRgb), 4);
  check_profile_fits("a.png", rgb_profile(kSrgb), 1);
}

TEST(WrittenProfiles, AreOfEachPage) {
  const TestFolder folder;
  const Image first = with_profile(muted(PixelType::u8), rgb_profile(kAdobeRgb)),
              second = muted(PixelType::u8);
  write_image_pages(folder / "a.tif", {first, second});
  ImageFile file(folder / "a.tif");
  const Image one = file.read(0), two = file.read(1);
  EXPECT_EQ(*one.profile, *first.profile);
  EXPECT_EQ(two.profile, nullptr);
  EXPECT_LE(largest_difference(one, first), 2);
  EXPECT_TRUE(same(two, second));
}

TEST(WrittenProfiles, WhatHoldsNoDataStays) {
  Image image = with_profile(muted(PixelType::f32), rgb_profile(kLinear));
  image.f32()[4] = NAN;
  const Image again = decode_image(encode_image("tif", image), "again.tif");
  EXPECT_TRUE(std::isnan(again.f32()[4]));
  EXPECT_EQ(again.f32()[3], image.f32()[3]);
}

}  // namespace
}  // namespace torsor
