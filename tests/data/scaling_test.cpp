#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/fingerprint.h"
#include "data/phantom.h"
#include "data/prepared_image.h"
#include "data/tensor_image.h"
#include "data/unpaired.h"
#include "image/convert.h"
#include "image/resize.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Image row_of(const std::vector<std::uint8_t>& samples) {
  Image image = Image::blank(static_cast<std::int64_t>(samples.size()), 1, 1);
  image.bytes = samples;
  return image;
}

// What numpy.percentile(samples, 95) gives.
TEST(Percentile95, LiesBetweenSamplesInProportion) {
  EXPECT_DOUBLE_EQ(percentile_95(row_of({10})), 10);
  EXPECT_DOUBLE_EQ(percentile_95(row_of({200, 100})), 195);
  EXPECT_DOUBLE_EQ(percentile_95(row_of({0, 10, 20, 30, 40, 50})), 47.5);
  std::vector<std::uint8_t> all(101);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(100 - i);
  EXPECT_DOUBLE_EQ(percentile_95(row_of(all)), 95);
  EXPECT_DOUBLE_EQ(percentile_95(row_of(std::vector<std::uint8_t>(7, 255))), 255);
}

TEST(Percentile95, IsOfSamplesOfAnyDepth) {
  const std::vector<std::uint8_t> samples = {0, 10, 20, 30, 40, 50, 0, 3, 3, 250, 251, 17};
  const Image bytes = row_of(samples);
  Image deep = Image::blank(bytes.width, 1, 1, PixelType::u16);
  for (std::int64_t i = 0; i < bytes.width; ++i) deep.u16()[i] = samples[static_cast<std::size_t>(i)];
  EXPECT_EQ(percentile_95(deep), percentile_95(bytes));
  EXPECT_EQ(percentile_95(to_f32(deep)), percentile_95(bytes));
  EXPECT_THROW(percentile_95(Image{}), Error);
}

// No precision is lost: neither does one sample far brighter than all others cost any.
TEST(Scaling, ByThePercentileKeepsTheDepthOfAnImage) {
  Image deep = Image::blank(40, 1, 1, PixelType::u16);
  for (int i = 0; i < 40; ++i) deep.u16()[i] = static_cast<std::uint16_t>(i == 39 ? 65535 : 105 * i);
  Image floats = to_f32(deep);
  for (int i = 0; i < 40; ++i) floats.f32()[i] /= 1024.0F;
  const double percentile = 105 * (37 + 0.05);  // place 37.05 of the sorted samples
  std::string note;
  const SampleScale scale("percentile_95");
  for (const auto& [image, unit] : {std::pair{deep, 1.0}, std::pair{floats, 1024.0}}) {
    const PreparedImage own = prepare(image, 1, scale, note);
    EXPECT_EQ(note, "");
    EXPECT_EQ(own.clipped, 0);
    EXPECT_EQ(own.range.type, image.type);
    EXPECT_NEAR(own.range.white, percentile / unit, 1e-9 * percentile);
    const at::Tensor x = to_tensor(own.image, own.range);
    for (int i = 0; i < 39; ++i)
      EXPECT_FLOAT_EQ(x[0][0][i].item<float>(), static_cast<float>(105 * i / percentile));
    EXPECT_FLOAT_EQ(x[0][0][39].item<float>(), static_cast<float>(65535 / percentile)) << "not clipped";
    const Image back = to_image(x, own.range);
    EXPECT_EQ(back.type, image.type);
    if (image.type == PixelType::u16) {
      EXPECT_EQ(back.bytes, image.bytes);
    }
    EXPECT_EQ(prepare(image, 3, scale, note).image.channels, 3);
  }
  EXPECT_EQ(to_preview(to_f32(deep), {percentile, 0, 0, PixelType::u16}).u8()[39], 255);
}

TEST(Scaling, ByThePercentileRefusesNegativeFloats) {
  Image image = Image::blank(4, 1, 1, PixelType::f32);
  image.f32()[0] = -2;
  image.f32()[1] = image.f32()[2] = image.f32()[3] = 7;
  std::string note;
  const SampleScale scale("percentile_95");
  EXPECT_THAT(testing::error_of([&] { prepare(image, 1, scale, note, "a.tif"); }),
              AllOf(HasSubstr("a.tif: "), HasSubstr("negative samples, down to -2")));
}

TEST(Scaling, OfAPercentileInAnotherDepth) {
  const auto white = [](double own, PixelType from, PixelType to) {
    return percentile_range_as({own, 0, 0, from}, to).white;
  };
  EXPECT_EQ(white(200, PixelType::u8, PixelType::u8), 200);
  EXPECT_EQ(white(200, PixelType::u8, PixelType::u16), 200 * 257);
  EXPECT_DOUBLE_EQ(white(51, PixelType::u8, PixelType::f32), 0.2);
  EXPECT_EQ(white(2000, PixelType::u16, PixelType::u16), 2000);
  EXPECT_EQ(white(2000, PixelType::u16, PixelType::u8), 127.5) << "of 12 bits";
  EXPECT_EQ(white(51400, PixelType::u16, PixelType::u8), 200) << "of 16";
  EXPECT_EQ(white(0.8, PixelType::f32, PixelType::u8), 204);
  EXPECT_EQ(white(700, PixelType::f32, PixelType::u8), 127.5);
}

// The percentile is the stored image's, not that of what a resize leaves of it.
TEST(Scaling, ComesBeforeResizing) {
  TransformOptions transform;
  transform.load_size = transform.crop_size = 16;
  transform.flip = false;
  transform.scaling = "percentile_95";
  const std::shared_ptr<const ImageSource> phantoms = make_phantom_source(Domain::b, Split::train, 1, 3, 64);
  const DomainReader reader(phantoms, transform, 1, std::make_shared<NullLog>());
  Rng rng(0);
  const ScaledImage read = reader.read_scaled(2, rng);
  const Image stored = phantoms->read(2), small = resize_bicubic(stored, 16, 16);
  ASSERT_NE(percentile_95(stored), percentile_95(small));
  EXPECT_EQ(read.range, (ValueRange{percentile_95(stored), 0}));
  EXPECT_TRUE(at::equal(read.values, to_tensor(small, read.range)));
}

TEST(Scaling, DividesByThePercentileAndComesBack) {
  const Image image = row_of({0, 100, 200, 200, 255});
  const ValueRange range = percentile_range(image, PixelType::u8);
  EXPECT_DOUBLE_EQ(range.white, 244);
  EXPECT_EQ(range.black, 0);
  const at::Tensor x = to_tensor(image, range);
  EXPECT_EQ(x[0][0][0].item<float>(), 0);
  EXPECT_FLOAT_EQ(x[0][0][4].item<float>(), 255.0F / 244.0F);
  EXPECT_EQ(to_image(x, range).bytes, image.bytes);
  EXPECT_EQ(to_image(x * 2, range).bytes, (std::vector<std::uint8_t>{0, 200, 255, 255, 255}));
}

TEST(Scaling, OfWhiteIsTheReferences) {
  const Image image = row_of({0, 51, 255});
  EXPECT_EQ(whole_range(PixelType::u8), ValueRange{});
  EXPECT_TRUE(at::allclose(to_tensor(image, {}), at::tensor({-1.0F, -0.6F, 1.0F}).view({1, 1, 3})));
}

TEST(Scaling, RefusesNearlyBlackImages) {
  std::vector<std::uint8_t> samples(100, 0);
  samples[3] = 255;
  std::string note;
  EXPECT_NO_THROW(prepare(row_of(samples), 1, SampleScale(), note));
  try {
    percentile_range(row_of(samples), PixelType::u8);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("95th percentile is 0"));
  }
}

TEST(Scaling, TheMeanPercentileDoesNotDependOnTheOrder) {
  FingerprintBuilder one(3, 1), other(3, 1);
  const std::vector<Image> images = {row_of({0, 77, 30}), row_of({3, 9, 200}), row_of({1, 1, 13})};
  const auto add = [&](FingerprintBuilder& to, std::size_t i) {
    to.add(static_cast<std::int64_t>(i), images[i], percentile_range(images[i], PixelType::u8));
  };
  for (std::size_t i : {0, 1, 2}) add(one, i);
  for (std::size_t i : {2, 0, 1}) add(other, i);
  EXPECT_EQ(one.mean_range(), other.mean_range());
  EXPECT_NEAR(one.mean_range().white,
              (percentile_95(images[0]) + percentile_95(images[1]) + percentile_95(images[2])) / 3, 1e-12);
}

TEST(Scaling, TheMeanPercentileIsThatOfTheDeepestImages) {
  FingerprintBuilder seen(3, 1);
  seen.add(0, row_of({0, 77}), {77, 0});
  seen.add(1, row_of({0, 77}), {1000, 0, 0, PixelType::u16});
  seen.add(2, row_of({0, 77}), {3000, 0, 0, PixelType::u16});
  EXPECT_EQ(seen.mean_range(), (ValueRange{2000, 0, 0, PixelType::u16}));
}

}  // namespace
}  // namespace torsor
