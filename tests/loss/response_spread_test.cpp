// The sparsity of a translator's Jacobian, by values that follow by hand.
#include "loss/response_spread.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

namespace torsor {
namespace {

constexpr double kNear = 1e-12;
constexpr double kNoAnswer = 0.01;  // the header's

at::Tensor images(std::int64_t count, std::int64_t height, std::int64_t width) {
  return at::arange(count * 3 * height * width, at::kDouble).view({count, 3, height, width}) / 1000 - 0.5;
}

TEST(Nudged, ChangesOneBlockOfEachImageByATenth) {
  Rng rng(3);
  const at::Tensor x = images(4, 24, 16);
  const at::Tensor change = nudged(x, rng) - x;
  ASSERT_EQ(change.sizes(), x.sizes());
  for (std::int64_t n = 0; n < 4; ++n) {
    const at::Tensor touched = change[n].abs() > 0.05;
    // 16 / 8 pixels a side, in all three channels.
    EXPECT_EQ(touched.sum().item<std::int64_t>(), 3 * 2 * 2);
    EXPECT_NEAR(change[n].abs().sum().item<double>(), 12 * 0.1, 1e-6);
    const at::Tensor rows = touched.any(0).any(1).nonzero(), columns = touched.any(0).any(0).nonzero();
    EXPECT_EQ(rows.size(0), 2);
    EXPECT_EQ((rows[1] - rows[0]).item<std::int64_t>(), 1);
    EXPECT_EQ((columns[1] - columns[0]).item<std::int64_t>(), 1);
  }
  EXPECT_FALSE(at::equal(change[0], change[1])) << "each image has a block and signs of its own";
}

TEST(Nudged, FollowsFromTheStreamAlone) {
  const at::Tensor x = images(2, 16, 16);
  Rng first(7), again(7), other(8);
  const at::Tensor once = nudged(x, first);
  EXPECT_TRUE(at::equal(once, nudged(x, again)));
  EXPECT_FALSE(at::equal(once, nudged(x, other)));
  EXPECT_FALSE(at::equal(once, nudged(x, first))) << "the stream has gone on";
}

TEST(Nudged, OfTinyImagesIsAPixel) {
  Rng rng(1);
  const at::Tensor x = at::zeros({1, 1, 4, 4}, at::kDouble);
  EXPECT_EQ((nudged(x, rng).abs() > 0).sum().item<std::int64_t>(), 1);
}

TEST(ResponseSpread, IsTheFormulaByImage) {
  const at::Tensor x = at::zeros({2, 1, 2, 2}, at::kDouble);
  const at::Tensor moved =
      at::tensor({3.0, 0.0, 0.0, 4.0, 0.0, 1.0, 0.0, 0.0}, at::kDouble).view({2, 1, 2, 2});
  const at::Tensor y = at::ones({2, 1, 2, 2}, at::kDouble);
  const at::Tensor answers =
      at::tensor({2.0, -2.0, 2.0, 2.0, 0.0, 6.0, 0.0, 0.0}, at::kDouble).view({2, 1, 2, 2});
  const at::Tensor found = response_spread(x, moved, y, y + answers);
  ASSERT_EQ(found.sizes(), at::IntArrayRef({2}));
  EXPECT_NEAR(found[0].item<double>(), 8 / (2 * (4 + kNoAnswer * 5)), kNear);
  EXPECT_NEAR(found[1].item<double>(), 6 / (2 * (6 + kNoAnswer * 1)), kNear);
}

// An answer everywhere is near 1, an answer of k of n samples near sqrt(k / n), no answer 0; the size of the
// answer hardly counts.
TEST(ResponseSpread, RanksTranslatorsByHowLocalTheyAre) {
  Rng rng(5);
  const at::Tensor x = at::zeros({1, 3, 64, 64}, at::kDouble), asked = nudged(x, rng);
  const auto of = [&](const auto& map) {
    return response_spread(x, asked, map(x), map(asked)).template item<double>();
  };
  const double pointwise = of([](const at::Tensor& v) { return 2 * v; });
  const double local = of([](const at::Tensor& v) { return at::avg_pool2d(v, {17, 17}, {1, 1}, {8, 8}); });
  const double global = of([](const at::Tensor& v) { return v + v.sum({1, 2, 3}, /*keepdim=*/true) + 1; });
  EXPECT_NEAR(pointwise, std::sqrt(1.0 / 64), 1e-3);
  EXPECT_GT(local, 1.2 * pointwise);
  EXPECT_GT(global, 1.5 * local);
  EXPECT_LE(global, 1);
  EXPECT_NEAR(of([](const at::Tensor& v) { return 20 * v; }), pointwise, 1e-3);
  EXPECT_EQ(of([](const at::Tensor& v) { return at::zeros_like(v); }), 0);
}

TEST(ResponseSpread, HasAFiniteGradientWhereNothingAnswers) {
  const at::Tensor x = at::zeros({1, 1, 4, 4}, at::kDouble);
  Rng rng(1);
  const at::Tensor asked = nudged(x, rng);
  const at::Tensor scale = at::zeros({}, at::kDouble).requires_grad_(true);
  response_spread(x, asked, x * scale, asked * scale).sum().backward();
  EXPECT_TRUE(at::isfinite(scale.grad()).all().item<bool>());
}

}  // namespace
}  // namespace torsor
