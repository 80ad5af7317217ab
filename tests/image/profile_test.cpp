// Images with an ICC profile come as sRGB.
#include <atomic>
#include <random>
#include <thread>

#include "image/made_profiles.h"

namespace torsor {
namespace {

using namespace std::string_literals;
using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What lies within 0 to 1 after clipping.
double shown(double value, PixelType type) {
  return type == PixelType::f32 ? value : std::clamp(value, 0.0, 1.0);
}

void expect_srgb(const Image& converted, const Image& stored, const MadeRgb& made, double units) {
  ASSERT_EQ(shape(converted), shape(stored));
  const double most = full(stored.type);
  const SrgbOf srgb_of(made);
  double worst = 0;
  for (std::int64_t p = 0; p < stored.samples(); p += 3) {
    const Triple expected =
        srgb_of({sample(stored, p) / most, sample(stored, p + 1) / most, sample(stored, p + 2) / most});
    for (std::int64_t c = 0; c < 3; ++c)
      worst = std::max(worst, std::abs(sample(converted, p + c) / most -
                                       shown(expected[static_cast<std::size_t>(c)], stored.type)));
  }
  EXPECT_LE(worst * most, units) << made.name << ", samples to " << most;
}

TEST(Profiles, AreConvertedAtEveryDepth) {
  for (const MadeRgb& made : {kAdobeRgb, kDisplayP3, kLinear}) {
    const IccProfile profile = rgb_profile(made);
    for (const auto& [type, units] :
         {std::pair{PixelType::u8, 1.0}, {PixelType::u16, 3.0}, {PixelType::f32, 1e-4}}) {
      const Image stored = colour_cube(type);
      Notes notes;
      const Image image = decode_image(tagged("tif", stored, profile), "a.tif", notes);
      expect_srgb(image, stored, made, units);
      EXPECT_THAT(notes, ElementsAre(HasSubstr("converted from the ICC profile " + made.name + " to sRGB")));
      EXPECT_EQ(*image.profile, *profile);
      EXPECT_EQ(profile_name(image.profile), made.name);
      EXPECT_THAT(notes, ElementsAre(conversion_note(made.name)));
    }
  }
}

TEST(Profiles, AreFoundInEveryFormat) {
  const IccProfile profile = rgb_profile(kAdobeRgb);
  for (const std::string extension : {"png", "tif", "webp", "jpg"}) {
    const Image stored = smooth_picture(40, 30, 3, PixelType::u8);
    const Image plain = decode_image(tagged(extension, stored, nullptr), "plain");
    const Image image = decode_image(tagged(extension, stored, profile), "tagged");
    ASSERT_NE(image.profile, nullptr) << extension;
    EXPECT_EQ(*image.profile, *profile) << extension;
    expect_srgb(image, plain, kAdobeRgb, 1);
    EXPECT_EQ(plain.profile, nullptr);
  }
  const Image deep = colour_cube(PixelType::u16);
  expect_srgb(decode_image(tagged("png", deep, profile), "deep.png"), deep, kAdobeRgb, 3);
}

std::string little(std::uint32_t value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
          static_cast<char>(value >> 24)};
}

TEST(Profiles, AreFoundInTheLastHeaderOfBmp) {
  const IccProfile profile = rgb_profile(kAdobeRgb);
  const Image stored = smooth_picture(20, 10, 3, PixelType::u8);
  std::string bmp = encode_image("bmp", stored);
  const auto pixels = static_cast<std::uint32_t>(bmp.size() - 54);
  std::string more(124 - 40, '\0');
  more.replace(16, 4, "DEBM");
  more.replace(72, 8, little(124 + pixels) + little(static_cast<std::uint32_t>(profile->size())));
  bmp.insert(54, more).replace(14, 4, little(124)).replace(10, 4, little(14 + 124));
  bmp += *profile;
  expect_srgb(decode_image(bmp, "a.bmp"), stored, kAdobeRgb, 1);
}

TEST(Profiles, OfGreyAreConvertedExactly) {
  const IccProfile profile = grey_profile(1.8);
  for (const PixelType type : {PixelType::u8, PixelType::u16, PixelType::f32}) {
    Image stored = Image::blank(256, 1, 1, type);
    for (std::int64_t i = 0; i < 256; ++i) {
      if (type == PixelType::u8) stored.u8()[i] = static_cast<std::uint8_t>(i);
      if (type == PixelType::u16) stored.u16()[i] = static_cast<std::uint16_t>(257 * i);
      if (type == PixelType::f32) stored.f32()[i] = static_cast<float>(i) / 255;
    }
    const Image image = decode_image(tagged("tif", stored, profile), "grey.tif");
    ASSERT_EQ(shape(image), shape(stored));
    const double tolerance = type == PixelType::u8 ? 0.51 : type == PixelType::u16 ? 2 : 2e-5;
    for (std::int64_t i = 0; i < 256; ++i) {
      const double expected = srgb_coded(std::pow(static_cast<double>(i) / 255, 1.8)) * full(type);
      EXPECT_NEAR(sample(image, i), expected, tolerance) << i;
    }
  }
}

TEST(Profiles, OfSrgbLeaveEveryByte) {
  for (const PixelType type : {PixelType::u8, PixelType::u16, PixelType::f32}) {
    const Image stored = colour_cube(type);
    Notes notes;
    const Image image = decode_image(tagged("tif", stored, rgb_profile(kSrgb)), "a.tif", notes);
    EXPECT_TRUE(same(image, stored));
    EXPECT_THAT(notes, IsEmpty());
    EXPECT_NE(image.profile, nullptr);
  }
  Notes notes;  // many programs tag grey images so
  const Image grey = smooth_picture(20, 10, 1, PixelType::u8);
  EXPECT_TRUE(same(decode_image(tagged("jpg", grey, rgb_profile(kSrgb)), "a.jpg", notes),
                   decode_image(tagged("jpg", grey, nullptr), "b.jpg")));
  EXPECT_THAT(notes, IsEmpty());
}

TEST(Profiles, ThatDoNotFitAreIgnoredAndNoted) {
  const Image colours = smooth_picture(20, 10, 3, PixelType::u8),
              grey = smooth_picture(20, 10, 1, PixelType::u8),
              data = smooth_picture(20, 10, 5, PixelType::u8);
  const std::string good = *rgb_profile(kAdobeRgb);
  const auto expect_ignored = [](const Image& stored, const std::string& profile, const std::string& why) {
    Notes notes;
    const Image image =
        decode_image(tagged("tif", stored, std::make_shared<const std::string>(profile)), "a.tif", notes);
    EXPECT_TRUE(same(image, stored)) << why;
    EXPECT_EQ(image.profile, nullptr);
    EXPECT_THAT(notes, ElementsAre(HasSubstr(why)));
    EXPECT_THAT(notes, ElementsAre(HasSubstr("taken for sRGB")));
  };
  expect_ignored(colours, *grey_profile(1.8),
                 "the ICC colour profile grey is ignored, as it is one of grey samples");
  expect_ignored(grey, good, "is one of RGB samples");
  expect_ignored(data, good, "no colours");
  expect_ignored(colours, *table_profile(cmsSigCmykData), "is one of CMYK samples");
  expect_ignored(colours, "no profile", "is not valid");
  for (const std::size_t size : {1u, 100u, 128u, 140u, 300u, 450u})
    expect_ignored(colours, good.substr(0, size), "is not valid");
  expect_ignored(colours, std::string(9 << 20, 'x'), "is not valid");
}

// A table of 255 points in each of 3 dimensions, as 255^3 x 3 numbers of 16 bits would be.
TEST(Profiles, ThatClaimMuchMemoryAreIgnored) {
  std::string profile = *table_profile(cmsSigRgbData);
  const std::size_t table = profile.find("mAB ");
  ASSERT_NE(table, std::string::npos);
  const std::size_t clut = table + (static_cast<std::uint8_t>(profile[table + 26]) << 8 |
                                    static_cast<std::uint8_t>(profile[table + 27]));
  profile.replace(clut, 3, "\xFF\xFF\xFF");
  Notes notes;
  const Image stored = smooth_picture(20, 10, 3, PixelType::u8);
  const auto broken = std::make_shared<const std::string>(profile);
  EXPECT_TRUE(same(decode_image(tagged("tif", stored, broken), "a.tif", notes), stored));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("is not valid")));
}

TEST(Profiles, WithDamagedBytesNeverEndTheProgram) {
  std::mt19937 random(1);
  const Image stored = smooth_picture(6, 5, 3, PixelType::u8);
  for (const auto& [good, times] :
       {std::pair{rgb_profile(kAdobeRgb), 100}, {table_profile(cmsSigRgbData), 8}})
    for (int i = 0; i < times; ++i) {
      std::string bytes = *good;
      for (int change = 0; change < 4; ++change)
        bytes[random() % std::min<std::size_t>(bytes.size(), 700)] = static_cast<char>(random());
      const Image image =
          decode_image(tagged("tif", stored, std::make_shared<const std::string>(bytes)), "a.tif");
      EXPECT_EQ(shape(image), shape(stored));
    }
}

TEST(Profiles, LeaveAlphaAndWhatHoldsNoData) {
  const IccProfile profile = rgb_profile(kLinear);
  Image stored = smooth_picture(20, 10, 4, PixelType::u8);
  const Image image = decode_image(tagged("png", stored, profile), "a.png");
  for (std::int64_t i = 3; i < stored.samples(); i += 4) EXPECT_EQ(image.u8()[i], stored.u8()[i]);
  EXPECT_NE(image.u8()[4], stored.u8()[4]);

  Image floats = colour_cube(PixelType::f32);
  floats.no_data = -9999;
  floats.f32()[3] = -9999;
  floats.f32()[7] = NAN;
  const Image read = decode_image(tagged("tif", floats, profile), "a.tif");
  for (const std::int64_t i : {3, 4, 5, 6, 8}) EXPECT_EQ(read.f32()[i], floats.f32()[i]);
  EXPECT_TRUE(std::isnan(read.f32()[7]));
  EXPECT_GT(read.f32()[9], floats.f32()[9]);
}

TEST(Profiles, OfFloatsOnAnotherScaleAreIgnored) {
  Image stored = colour_cube(PixelType::f32);
  for (std::int64_t i = 0; i < stored.samples(); ++i) stored.f32()[i] *= 255;
  Notes notes;
  EXPECT_TRUE(same(decode_image(tagged("tif", stored, rgb_profile(kLinear)), "a.tif", notes), stored));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("most samples are above 1")));
}

TEST(Profiles, AreLeftAsideWhereTheStoredSamplesAreWanted) {
  const Image stored = colour_cube(PixelType::u8);
  ImageFile file(tagged("png", stored, rgb_profile(kAdobeRgb)), "a.png", PageUse::images, Colours::as_stored);
  const Image image = file.read(0);
  EXPECT_TRUE(same(image, stored));
  EXPECT_EQ(image.profile, nullptr);
  EXPECT_THAT(file.notes(), ElementsAre(HasSubstr("Adobe is not applied")));
}

// JPEG cuts a long one into several segments.
TEST(Profiles, MayBeLong) {
  cmsHPROFILE made = open_rgb(kAdobeRgb);
  const std::string filling(150000, 'x');
  cmsWriteRawTag(made, static_cast<cmsTagSignature>(0x70616464), filling.data(),
                 static_cast<cmsUInt32Number>(filling.size()));
  const IccProfile profile = saved(made);
  const Image stored = smooth_picture(40, 30, 3, PixelType::u8);
  const std::string jpeg = tagged("jpg", stored, profile);
  const Image image = decode_image(jpeg, "a.jpg");
  ASSERT_NE(image.profile, nullptr);
  EXPECT_EQ(*image.profile, *profile);
  Notes notes;  // without its second piece
  std::string torn = jpeg;
  torn[torn.find("ICC_PROFILE\0\2"s)] = 'x';
  decode_image(torn, "a.jpg", notes);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("is not valid")));
}

TEST(Profiles, OfInksConvertThem) {
  const IccProfile profile = table_profile(cmsSigCmykData);
  Image inks = Image::blank(5, 1, 4);  // grey levels: 100 less the mean ink is L*
  const std::vector<std::uint8_t> amounts = {0, 51, 102, 204, 255};
  for (std::size_t i = 0; i < 20; ++i) inks.u8()[i] = amounts[i / 4];
  inks.profile = profile;
  std::string tiff = formats::encode_tiff(inks, "a.tif", {});
  const std::string rgb = {'\x06', '\x01', '\x03', '\0', '\1', '\0', '\0', '\0', '\2', '\0'};  // tag 262
  const std::size_t at = tiff.find(rgb);
  ASSERT_NE(at, std::string::npos);
  tiff[at + 8] = 5;                                        // separated
  const std::size_t extra = tiff.find("\x52\x01\x03\0"s);  // tag 338 becomes one of nobody's
  ASSERT_NE(extra, std::string::npos);
  tiff[extra] = '\x51';
  Notes notes;
  const Image image = decode_image(tiff, "inks.tif", notes);
  ASSERT_EQ(image.channels, 3);
  EXPECT_THAT(notes, Contains(HasSubstr("converted from the ICC profile inks to sRGB")));
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    const double l = 100 - amounts[i] / 2.55, root = (l + 16) / 116;
    const double y = l > 8 ? root * root * root : l / 903.3;
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(image.u8()[3 * i + c], 255 * srgb_coded(y), 1.5) << i;
  }
}

TEST(Profiles, AreSharedByThreads) {
  const Image stored = colour_cube(PixelType::u8);
  const std::string file = tagged("png", stored, rgb_profile({"shared", kAdobeRgb.primaries, 1.7}));
  const Image expected =
      decode_image(tagged("png", stored, rgb_profile({"first", kAdobeRgb.primaries, 1.7})), "b.png");
  std::atomic<int> alike{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) alike += same(decode_image(file, "a.png"), expected) ? 1 : 0;
    });
  threads.clear();
  EXPECT_EQ(alike, 40);
}

}  // namespace
}  // namespace torsor
