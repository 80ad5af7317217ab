// One scale for one set of images, and what no network shall see.
#include "data/sample_scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "data/prepared_image.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

template <class T>
Image image_of(const std::vector<T>& samples, std::int64_t channels = 1) {
  const PixelType type = sizeof(T) == 1 ? PixelType::u8 : sizeof(T) == 2 ? PixelType::u16 : PixelType::f32;
  Image out = Image::blank(static_cast<std::int64_t>(samples.size()) / channels, 1, channels, type);
  std::memcpy(out.bytes.data(), samples.data(), out.bytes.size());
  return out;
}

Image floats(const std::vector<float>& samples) { return image_of(samples); }

ValueRange range_of_set(const std::vector<Image>& images, const GivenScale& given = {}) {
  SampleStatistics seen;
  for (const Image& image : images) seen.add(image);
  return seen.range(given);
}

// `rare` of 2000 samples are `odd`, the others `usual`.
template <class T>
Image mostly(T usual, T odd, int rare) {
  std::vector<T> samples(2000, usual);
  std::fill_n(samples.begin(), rare, odd);
  return image_of(samples);
}

TEST(SampleStatistics, FloatsAreJudgedByNearlyAllOfTheSet) {
  EXPECT_EQ(range_of_set({floats({0.2f, 0.8f})}).white, 1);
  EXPECT_EQ(range_of_set({mostly(0.5f, 1.004f, 2)}).white, 1) << "0.1 % may be hot";
  EXPECT_EQ(range_of_set({mostly(0.5f, 1.004f, 3)}).white, 255);
  EXPECT_EQ(range_of_set({floats({128})}), (ValueRange{255, -1, 0, PixelType::f32})) << "not black";
  EXPECT_EQ(range_of_set({floats({0.5f, 0.5f}), floats({200})}).white, 255) << "of the set";
  EXPECT_EQ(range_of_set({floats({300, 700}), floats({1200})}), (ValueRange{1200, -1, 300, PixelType::f32}));
  EXPECT_EQ(range_of_set({floats({-3, 7})}), (ValueRange{7, -1, -3, PixelType::f32}));
  EXPECT_EQ(range_of_set({floats({1000})}), (ValueRange{1000, -1, 0, PixelType::f32})) << "a constant";
}

TEST(SampleStatistics, IntegersAreJudgedByTheirBits) {
  using U = std::uint16_t;
  EXPECT_EQ(range_of_set({image_of<U>({0, 255})}).white, 255);
  EXPECT_EQ(range_of_set({image_of<U>({0, 256})}), (ValueRange{4095, -1, 0, PixelType::u16}));
  EXPECT_EQ(range_of_set({image_of<U>({0, 255}), image_of<U>({4096})}).white, 65535);
  EXPECT_EQ(range_of_set({mostly<U>(4095, 65535, 2)}).white, 4095);
  EXPECT_EQ(range_of_set({mostly<U>(4095, 65535, 3)}).white, 65535);
  EXPECT_EQ(range_of_set({image_of<std::uint8_t>({0, 7})}), ValueRange{});
  EXPECT_EQ(range_of_set({}), ValueRange{});
}

TEST(SampleStatistics, TheDeepestTypeOfASetDecides) {
  const Image shallow = image_of<std::uint8_t>({9}), deep = image_of<std::uint16_t>({900});
  EXPECT_EQ(range_of_set({shallow, deep, shallow}).type, PixelType::u16);
  EXPECT_EQ(range_of_set({floats({0.5f}), deep}), (ValueRange{1, -1, 0, PixelType::f32}));
}

TEST(SampleStatistics, WhatIsGivenIsTaken) {
  EXPECT_EQ(range_of_set({floats({300, 1200})}, {1.0, std::nullopt}), (ValueRange{1, -1, 0, PixelType::f32}));
  EXPECT_EQ(range_of_set({floats({300, 1200})}, {2000.0, -100.0}),
            (ValueRange{2000, -1, -100, PixelType::f32}));
  EXPECT_EQ(range_of_set({floats({300, 1200})}, {std::nullopt, 0.0}).white, 1200);
  EXPECT_EQ(range_of_set({image_of<std::uint8_t>({9})}, {100.0, std::nullopt}).white, 100);
  SampleStatistics seen;
  EXPECT_THAT(error_of([&] { seen.range({1.0, 1.0}, "--white-a"); }), HasSubstr("--white-a: white is 1"));
}

TEST(SampleStatistics, WhatShowsNothingDoesNotCount) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Image heights = floats({300, -9999, nan, 1200});
  heights.no_data = -9999;
  EXPECT_EQ(range_of_set({heights}), (ValueRange{1200, -1, 300, PixelType::f32}));
  const Image clear = image_of<std::uint16_t>({60000, 0, 4000, 65535}, 2);  // the first transparent
  EXPECT_EQ(range_of_set({clear}).white, 4095) << "nor does opacity";
}

TEST(DeepImages, AreFoundAmongFiles) {
  testing::TestFolder folder;
  write_image(folder.path / "a.png", image_of<std::uint8_t>({1, 2}));
  write_image(folder.path / "b.png", image_of<std::uint16_t>({1, 2}));
  write_image_pages(folder.path / "c.tif", {floats({1}), floats({2})});
  const std::vector<std::filesystem::path> files = {folder.path / "a.png", folder.path / "b.png",
                                                    folder.path / "c.tif", folder.path / "absent.tif"};
  std::atomic<int> shorts{0}, reals{0}, others{0};
  look_at_deep_images(files, WhichPages::all, [&](const Image& image) {
    ++(image.type == PixelType::u16 ? shorts : image.type == PixelType::f32 ? reals : others);
  });
  EXPECT_EQ(shorts, 1);
  EXPECT_EQ(reals, 2);
  look_at_deep_images(files, WhichPages::first,
                      [&](const Image& image) { reals += image.type == PixelType::f32; });
  EXPECT_EQ(reals, 3);
  EXPECT_EQ(others, 0);
}

TEST(SampleScale, ADomainsTypeHasItsRangeAndOthersTheirOwn) {
  SampleScale scale("white", {4095, -1, 0, PixelType::u16});
  EXPECT_EQ(scale.range_of(image_of<std::uint16_t>({9})).white, 4095);
  EXPECT_EQ(scale.range_of(image_of<std::uint8_t>({9})), ValueRange{});
  EXPECT_EQ(scale.range_of(floats({0.5f})).white, 1);
  EXPECT_EQ(scale.range_of(floats({200})).white, 255);
  scale.add({80, -1, 10, PixelType::f32});
  EXPECT_EQ(scale.range_of(floats({0.5f})), (ValueRange{80, -1, 10, PixelType::f32}));
  scale.give({2000.0, std::nullopt});
  EXPECT_EQ(scale.range_of(image_of<std::uint16_t>({9})).white, 2000);
  scale.give({std::nullopt, 300.0});
  EXPECT_EQ(scale.range_of(image_of<std::uint16_t>({9})).black_level, 300);
  EXPECT_THAT(error_of([&] { scale.range_of(image_of<std::uint8_t>({9})); }),
              HasSubstr("white is 255 and black 300"));
}

// [-1, 1] from black to white, and back to the sample.
TEST(SampleScale, GoesInAndOutWithoutLoss) {
  std::vector<std::uint16_t> ramp(4096);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint16_t>(i);
  std::string note;
  for (const double white : {4095.0, 65535.0}) {
    const ValueRange range{white, -1, 0, PixelType::u16};
    const PreparedImage ready = prepare(image_of(ramp), 1, SampleScale("white", range), note);
    ASSERT_EQ(ready.image.type, PixelType::f32);
    EXPECT_EQ(ready.clipped, 0);
    const at::Tensor x = to_tensor(ready.image, ready.range);
    EXPECT_FLOAT_EQ(x[0][0][0].item<float>(), -1);
    EXPECT_FLOAT_EQ(x[0][0][4095].item<float>(), static_cast<float>(4095 / white * 2 - 1));
    EXPECT_EQ(to_image(x, range).bytes, image_of(ramp).bytes);
  }
  const ValueRange heights{1200, -1, 300, PixelType::f32};
  const Image image = floats({300, 750, 1200});
  const at::Tensor x = to_tensor(image, heights);
  EXPECT_EQ(x[0][0][1].item<float>(), 0);
  EXPECT_EQ(to_image(x, heights).bytes, image.bytes);
  EXPECT_EQ(to_preview(image, heights).bytes, (std::vector<std::uint8_t>{0, 128, 255}));
}

TEST(SampleScale, ClipsWhatLiesOutsideAndCountsIt) {
  std::string note;
  const SampleScale scale("white", {4095, -1, 0, PixelType::u16});
  const PreparedImage ready =
      prepare(image_of<std::uint16_t>({0, 4095, 4096, 65535}), 1, scale, note, "x.png");
  EXPECT_EQ(ready.clipped, 2);
  EXPECT_THAT(note, HasSubstr("2 of 4 samples lie outside of 0 to 4095 and are clipped"));
  EXPECT_TRUE(at::equal(to_tensor(ready.image, ready.range)[0][0].slice(0, 1), at::ones({3})));
}

TEST(PreparedImage, PixelsThatShowNothingHaveTheMeanOfTheOthers) {
  std::string note;
  const Image shown = image_of<std::uint8_t>({10, 20, 30, 255, 99, 98, 97, 0, 30, 40, 50, 128}, 4);
  const PreparedImage ready = prepare(shown, 3, SampleScale(), note);
  EXPECT_EQ(ready.image.bytes, (std::vector<std::uint8_t>{10, 20, 30, 20, 30, 40, 30, 40, 50}));
  EXPECT_EQ(ready.aside.alpha.bytes, (std::vector<std::uint8_t>{255, 0, 128}));
  EXPECT_EQ(prepare(shown, 3, SampleScale(), note, "x", Hidden::kept).image.bytes[3], 99);
  Image heights = floats({300, -9999, 500, std::numeric_limits<float>::quiet_NaN()});
  heights.no_data = -9999;
  const PreparedImage filled = prepare(heights, 1, SampleScale(), note);
  EXPECT_EQ(filled.image.bytes, floats({300, 400, 500, 400}).bytes);
  EXPECT_EQ(filled.range, (ValueRange{500, -1, 300, PixelType::f32}));
  EXPECT_THAT(note, HasSubstr("2 of 4 pixels hold no data"));
}

TEST(PreparedImage, OfColoursOneBandOfAPixelIsNoMissingPixel) {
  std::string note;
  Image red = image_of<std::uint8_t>({255, 0, 0, 0, 0, 0}, 3);
  red.no_data = 0;
  EXPECT_EQ(prepare(red, 3, SampleScale(), note).aside.without_data, (std::vector<std::uint8_t>{0, 1}));
}

TEST(PreparedImage, ALastChannelOfDataIsLeftOutAloud) {
  std::string note;
  Image bands = image_of<std::uint8_t>({1, 2, 3, 0, 4, 5, 6, 0}, 4);
  bands.last = LastChannel::data;
  EXPECT_EQ(prepare(bands, 4, SampleScale(), note).image.bytes, bands.bytes);
  EXPECT_EQ(note, "");
  EXPECT_EQ(prepare(bands, 3, SampleScale(), note).image.bytes,
            (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(note, "the last of its 4 channels is left out");
}

TEST(PreparedImage, RefusesByNameWhatHasNoValues) {
  std::string note;
  const auto error = [&](const Image& image) {
    return error_of([&] { prepare(image, 1, SampleScale(), note, "x.tif"); });
  };
  EXPECT_THAT(error(floats({1, INFINITY})), ::testing::StartsWith("x.tif: the float image holds infinite"));
  EXPECT_THAT(error(floats({NAN})), ::testing::StartsWith("x.tif: no pixel holds data"));
  EXPECT_THAT(error_of([&] { prepare(Image::blank(2, 2, 5), 3, SampleScale(), note, "slice.tif"); }),
              ::testing::StartsWith("slice.tif: "));
}

TEST(SetAside, ComesBackInTheTranslation) {
  std::string note;
  const Image made = image_of<std::uint16_t>({7, 8});
  EXPECT_EQ(with_alpha(made, image_of<std::uint8_t>({255, 10})).bytes,
            image_of<std::uint16_t>({7, 65535, 8, 2570}).bytes);
  Image heights = floats({300, -9999});
  heights.no_data = -9999;
  const SetAside aside = prepare(heights, 1, SampleScale(), note).aside;
  Image out = floats({1, 2});
  mark_without_data(out, aside, NoDataTag::kept);
  EXPECT_EQ(out.bytes, floats({1, -9999}).bytes);
  EXPECT_EQ(out.no_data, -9999);
  out = floats({1, 2});
  mark_without_data(out, aside, NoDataTag::lost);
  EXPECT_TRUE(std::isnan(out.f32()[1]));
  Image shallow = image_of<std::uint8_t>({1, 2});
  EXPECT_FALSE(can_mark_without_data(PixelType::u8, aside, NoDataTag::kept));
  mark_without_data(shallow, aside, NoDataTag::kept);
  EXPECT_EQ(shallow.bytes, (std::vector<std::uint8_t>{1, 0}));
  Image enlarged = floats({1, 2, 3, 4, 5});
  mark_without_data(enlarged, aside, NoDataTag::kept);
  EXPECT_EQ(enlarged.bytes, floats({1, 2, 3, -9999, -9999}).bytes);
}

}  // namespace
}  // namespace torsor
