#include "metric/image_pair.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "metric/metrics.h"
#include "metric/ssim.h"
#include "samples.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

Image grey(std::int64_t width, std::int64_t height, std::uint8_t value) {
  Image image = Image::blank(width, height, 1);
  std::fill(image.bytes.begin(), image.bytes.end(), value);
  return image;
}

PairImages named(const Image& a, const Image& b) { return {a, b, nullptr, "a/1.png", "b/1.png"}; }

TEST(ImagePair, RefusesOtherSizesTypesAndChannelsNamingBoth) {
  const Image a = grey(20, 10, 1);
  EXPECT_THAT(error_of([&] { image_pair(named(a, grey(20, 11, 1)), 255); }),
              AllOf(HasSubstr("a/1.png is 20x10"), HasSubstr("b/1.png is 20x11")));
  EXPECT_THAT(error_of([&] { image_pair(named(a, Image::blank(20, 10, 1, PixelType::u16)), 255); }),
              AllOf(HasSubstr("8-bit"), HasSubstr("16-bit")));
  EXPECT_THAT(error_of([&] { image_pair(named(a, Image::blank(20, 10, 5)), 255); }),
              HasSubstr("b/1.png has 5"));
  Image floats = Image::blank(20, 10, 1, PixelType::f32);
  floats.f32()[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of([&] { image_pair(named(Image::blank(20, 10, 1, PixelType::f32), floats), 1); }),
              HasSubstr("b/1.png has samples that are NaN"));
}

TEST(ImagePair, ComparesGreyWithRgb) {
  Image rgb = Image::blank(8, 8, 3);
  std::fill(rgb.bytes.begin(), rgb.bytes.end(), 40);
  EXPECT_EQ(score_pair("mae", image_pair(named(grey(8, 8, 50), rgb), 255)), 10);
  EXPECT_EQ(score_pair("mae", image_pair(named(grey(8, 8, 50), rgb), 255, PairChannels::grey)), 10);
}

TEST(ImagePair, TakesSixteenBitsAndFloatsWithARange) {
  Image a = Image::blank(8, 8, 1, PixelType::u16), b = a;
  std::fill(b.u16(), b.u16() + 64, 655);
  EXPECT_NEAR(score_pair("psnr", image_pair(named(a, b), 65535)), 20 * std::log10(65535 / 655.0), 1e-12);
  Image x = Image::blank(8, 8, 1, PixelType::f32), y = x;
  std::fill(y.f32(), y.f32() + 64, 0.25F);
  EXPECT_NEAR(score_pair("rmse", image_pair(named(x, y), 1)), 0.25, 1e-15);
  EXPECT_EQ(data_range(PixelType::u8, {}, "--data-range"), 255);
  EXPECT_EQ(data_range(PixelType::u16, 4095, "--data-range"), 4095);
  EXPECT_THAT(error_of<UsageError>([] { data_range(PixelType::f32, {}, "--data-range"); }),
              HasSubstr("--data-range"));
  EXPECT_THROW(data_range(PixelType::u8, -1, "--data-range"), UsageError);
}

TEST(ImagePair, SimilarityDoesNotDependOnTheScale) {
  Rng rng(1);
  const at::Tensor x = testing::normal_rows(20, 20, 0, rng).view({1, 20, 20}), y = x + 0.3;
  const ImagePair one{x, y, 2}, scaled{x * 100, y * 100, 200};
  EXPECT_NEAR(score_pair("ssim", one), score_pair("ssim", scaled), 1e-12);
  EXPECT_GT(std::abs(score_pair("ssim", one) - score_pair("ssim", {x, y, 20})), 1e-3);
}

// The left half is equal, the right half is not.
ImagePair half_equal(const at::Tensor& mask) {
  Rng rng(2);
  at::Tensor x = testing::normal_rows(200, 200, 0, rng).view({1, 200, 200}), y = x.clone();
  y.narrow(2, 100, 100).add_(testing::normal_rows(200, 100, 0, rng).view({1, 200, 100}));
  return {x, y, 4, mask};
}

at::Tensor columns(std::int64_t begin, std::int64_t end) {
  at::Tensor mask = at::zeros({200, 200}, at::kBool);
  mask.narrow(1, begin, end - begin).fill_(true);
  return mask;
}

TEST(Mask, RestrictsEveryMetric) {
  const ImagePair inside = half_equal(columns(0, 16)), outside = half_equal(columns(105, 200));
  for (const std::string name : {"mae", "rmse"}) {
    EXPECT_EQ(score_pair(name, inside), 0) << name;
    EXPECT_GT(score_pair(name, outside), 0.5) << name;
  }
  EXPECT_TRUE(std::isinf(score_pair("psnr", inside)));
  EXPECT_FALSE(std::isinf(score_pair("psnr", outside)));
  for (const std::string name : {"ssim", "ssim_gauss"}) {
    EXPECT_NEAR(score_pair(name, inside), 1, 1e-12) << name;
    EXPECT_LT(score_pair(name, outside), 0.9) << name;
  }
  EXPECT_LT(score_pair("msssim", outside), score_pair("msssim", half_equal(columns(0, 95))) - 0.05);
  EXPECT_NEAR(score_pair("msssim", half_equal(columns(0, 200))), score_pair("msssim", half_equal({})), 1e-12);
}

TEST(Mask, MustLeaveSomething) {
  const Image a = grey(20, 20, 9), black = grey(20, 20, 0);
  PairImages images = named(a, a);
  images.mask = &black;
  images.mask_name = "m/1.png";
  EXPECT_THAT(error_of([&] { image_pair(images, 255); }), HasSubstr("m/1.png"));
  const Image small = grey(20, 19, 255);
  images.mask = &small;
  EXPECT_THAT(error_of([&] { image_pair(images, 255); }), HasSubstr("m/1.png is 20x19"));
  const at::Tensor x = at::zeros({1, 20, 20}, at::kDouble);
  at::Tensor edge = at::zeros({20, 20}, at::kBool);
  edge[0].fill_(true);
  EXPECT_THAT(error_of([&] {
                score_pair("ssim", {x, x, 255, edge, "pair 1"});
              }),
              AllOf(HasSubstr("pair 1"), HasSubstr("3 pixels of the border")));
}

TEST(Similarity, RefusesImagesSmallerThanItsWindows) {
  const at::Tensor x = at::zeros({1, 10, 160}, at::kDouble), big = at::zeros({1, 161, 160}, at::kDouble);
  EXPECT_NO_THROW(score_pair("ssim", {x, x, 255}));
  EXPECT_THAT(error_of([&] { score_pair("ssim_gauss", {x, x, 255}); }), HasSubstr("11 pixels"));
  EXPECT_THAT(error_of([&] { score_pair("msssim", {big, big, 255}); }), HasSubstr("161 pixels"));
  EXPECT_THROW(score_pair("kid", {x, x, 255}), UsageError);
  EXPECT_THROW(score_pair("mae", {x, big, 255}), Error);
}

}  // namespace
}  // namespace torsor
