#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/fingerprint.h"
#include "data/phantom.h"
#include "data/prepared_image.h"
#include "data/tensor_image.h"
#include "data/unpaired.h"
#include "image/resize.h"

namespace torsor {
namespace {

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

TEST(Percentile95, IsOfEightBitSamplesAndOfSome) {
  EXPECT_THROW(percentile_95(Image::blank(2, 2, 1, PixelType::u16)), Error);
  EXPECT_THROW(percentile_95(Image{}), Error);
}

TEST(Scaling, ByThePercentileTakesImagesOfAnyDepth) {
  Image deep = Image::blank(40, 1, 1, PixelType::u16);  // 12 bits of 16
  for (int i = 0; i < 40; ++i) deep.u16()[i] = static_cast<std::uint16_t>(105 * i);
  std::string note;
  const SampleScale scale("percentile_95");
  const PreparedImage own = prepare(deep, 1, scale, note);
  EXPECT_EQ(own.image.bytes.back(), 255);
  EXPECT_THAT(note, HasSubstr("4095, becomes 255"));
  const double percentile = 105 * 0.95 * 39;  // half a level may be lost in it, and half in a sample
  const at::Tensor x = to_tensor(own.image, own.range);
  for (int i = 0; i < 40; ++i) EXPECT_NEAR(x[0][0][i].item<double>(), 105 * i / percentile, 1.0 / 242);
  EXPECT_EQ(prepare(deep, 3, scale, note).image.channels, 3);
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
  const ValueRange range = percentile_range(image);
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
    percentile_range(row_of(samples));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("95th percentile is 0"));
  }
}

TEST(Scaling, TheMeanPercentileDoesNotDependOnTheOrder) {
  FingerprintBuilder one(3, 1), other(3, 1);
  const std::vector<Image> images = {row_of({0, 77, 30}), row_of({3, 9, 200}), row_of({1, 1, 13})};
  for (std::size_t i : {0, 1, 2}) one.add(static_cast<std::int64_t>(i), images[i]);
  for (std::size_t i : {2, 0, 1}) other.add(static_cast<std::int64_t>(i), images[i]);
  EXPECT_EQ(one.mean_percentile_95(), other.mean_percentile_95());
  EXPECT_NEAR(one.mean_percentile_95(),
              (percentile_95(images[0]) + percentile_95(images[1]) + percentile_95(images[2])) / 3, 1e-12);
}

}  // namespace
}  // namespace torsor
