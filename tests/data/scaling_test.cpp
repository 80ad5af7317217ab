#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/fingerprint.h"
#include "data/tensor_image.h"

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

TEST(Scaling, DividesByThePercentileAndComesBack) {
  const Image image = row_of({0, 100, 200, 200, 255});
  const ValueRange range = range_of(image, "percentile_95");
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
  const ValueRange range = range_of(image, "white");
  EXPECT_EQ(range, ValueRange{});
  EXPECT_TRUE(at::allclose(to_tensor(image, range), at::tensor({-1.0F, -0.6F, 1.0F}).view({1, 1, 3})));
}

TEST(Scaling, RefusesNearlyBlackImagesAndUnknownNames) {
  std::vector<std::uint8_t> samples(100, 0);
  samples[3] = 255;
  EXPECT_NO_THROW(range_of(row_of(samples), "white"));
  try {
    range_of(row_of(samples), "percentile_95");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("95th percentile is 0"));
  }
  EXPECT_THROW(range_of(row_of(samples), "percentile_96"), UsageError);
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
