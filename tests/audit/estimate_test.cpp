#include "audit/estimate.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "audit/image_distances.h"
#include "test_support.h"

namespace torsor {
namespace {

std::vector<std::int64_t> own_groups(std::int64_t n) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

TEST(Estimate, IsTheMeanInUnitsOfTheScaleWithItsInterval) {
  Rng rng(1), draws(2);
  at::Tensor values = at::empty({400}, at::kDouble);
  for (std::int64_t i = 0; i < 400; ++i) values[i] = 3 + draws.normal();
  const Estimate e = mean_estimate(values, own_groups(400), 2, 1000, rng);
  EXPECT_NEAR(e.value, values.mean().item<double>() / 2, 1e-12);
  ASSERT_TRUE(e.interval);
  // Student's: 1.97 / root(400) / 2.
  EXPECT_NEAR(e.interval->high - e.interval->low, 2 * 1.97 * 0.05 / 2, 0.02);
  EXPECT_LT(e.low(), e.value);
  EXPECT_GT(e.high(), e.value);
}

TEST(Estimate, ImagesOfOneGroupAreOneObservation) {
  Rng rng(1), draws(2);
  at::Tensor values = at::empty({40, 10}, at::kDouble);
  for (std::int64_t g = 0; g < 40; ++g) values[g] = draws.normal();
  std::vector<std::int64_t> groups;
  for (std::int64_t g = 0; g < 40; ++g) groups.insert(groups.end(), 10, 7 * g);  // any numbers
  const Estimate grouped = mean_estimate(values.flatten(), groups, 1, 1000, rng);
  const Estimate alone = mean_estimate(values.flatten(), own_groups(400), 1, 1000, rng);
  EXPECT_GT(grouped.high() - grouped.low(), 2.5 * (alone.high() - alone.low()));
}

TEST(Estimate, FewGroupsHaveNoIntervalAndDecideNothing) {
  Rng rng(1);
  const Estimate e = mean_estimate(at::ones({3}, at::kDouble), own_groups(3), 1, 1000, rng);
  EXPECT_FALSE(e.interval);
  EXPECT_NE(e.no_interval, "");
  EXPECT_TRUE(std::isinf(e.low()) && e.low() < 0 && std::isinf(e.high()));
  const Estimate back = Estimate::from(Json::parse(e.json().dump()));
  EXPECT_EQ(back.no_interval, e.no_interval);
  EXPECT_EQ(back.value, 1);
}

TEST(ImageDistances, AreTheMeanAndThatOfTheWorstPatch) {
  at::Tensor x = at::zeros({2, 3, 32, 32}), y = x.clone();
  y.narrow(0, 1, 1).narrow(2, 8, 4).narrow(3, 12, 4).fill_(0.5);  // one patch of 4 by 4 pixels
  const ImageDistances d = image_distances(x, y);
  EXPECT_EQ(d.whole[0].item<double>(), 0);
  EXPECT_EQ(d.worst[0].item<double>(), 0);
  EXPECT_NEAR(d.whole[1].item<double>(), 0.5 * 16 / 1024, 1e-12);
  EXPECT_NEAR(d.worst[1].item<double>(), 0.5, 1e-12);
}

TEST(ImageDistances, UnrelatedImagesAreOfOtherGroups) {
  Rng rng(1);
  // Two groups of equal images: all distances within a group are 0.
  const at::Tensor x = at::cat({at::zeros({4, 1, 8, 8}), at::ones({4, 1, 8, 8})});
  const MeanDistances d = unrelated_distances(x, {0, 0, 0, 0, 1, 1, 1, 1}, 3, rng);
  EXPECT_EQ(d.whole, 1);
  EXPECT_EQ(d.worst, 1);
  EXPECT_THAT(testing::error_of([&] {
                unrelated_distances(x, {0, 0, 0, 0, 0, 0, 0, 0}, 3, rng);
              }),
              ::testing::HasSubstr("--groups"));
}

}  // namespace
}  // namespace torsor
