#include "transport/pair_costs.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "planted_points.h"
#include "test_support.h"
#include "transport/block_energy.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::normal_points;

const std::vector<CostOptions> kAllCosts = {{"squared"}, {"absolute"}, {"power", 1.5}, {"power", 3}};

double exponent_of(const CostOptions& options) {
  return options.cost == "squared" ? 2 : options.cost == "absolute" ? 1 : options.cost_power;
}

TEST(PairCosts, AreMeansOfDifferences) {
  Rng rng(1);
  for (const auto& [n, m, d] : {std::tuple{1, 1, 1}, std::tuple{5, 7, 12}, std::tuple{9, 4, 300}})
    for (const CostOptions& options : kAllCosts) {
      const at::Tensor x = normal_points(n, d, 0, rng).to(at::kFloat), y = normal_points(m, d, 1, rng);
      const at::Tensor found = pair_costs(x, y, options);
      // In blocks of two rows, of one, and of less.
      for (const int block : {2 * d, d, 1})
        EXPECT_TRUE(at::allclose(pair_costs(x, y, options, block), found, 1e-10, 0));
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < m; ++j) {
          const double plain =
              (x[i].to(at::kDouble) - y[j]).abs().pow(exponent_of(options)).mean().item<double>();
          EXPECT_NEAR(found[i][j].item<double>(), plain, 1e-10 * plain);
        }
    }
}

TEST(PairCosts, TakeImagesAndAreExactlyZeroOfEqualOnes) {
  Rng rng(2);
  const at::Tensor images = normal_points(6, 3 * 4 * 5, 0, rng).reshape({6, 3, 4, 5}) + 1000;
  for (const CostOptions& options : kAllCosts) {
    const at::Tensor costs = pair_costs(images, images.clone(), options);
    EXPECT_EQ(costs.diagonal().abs().max().item<double>(), 0);
    EXPECT_GT((costs + at::eye(6, at::kDouble)).min().item<double>(), 0);
  }
}

// Where the expanded square would lose every digit.
TEST(PairCosts, ResolveImagesThatHardlyDiffer) {
  Rng rng(3);
  const at::Tensor x = normal_points(4, 100, 0, rng), y = x + 1e-9 * normal_points(4, 100, 0, rng);
  const at::Tensor costs = pair_costs(x, y, {"squared"});
  for (int i = 0; i < 4; ++i) {
    const double plain = (x[i] - y[i]).square().mean().item<double>();
    EXPECT_NEAR(costs[i][i].item<double>(), plain, 1e-5 * plain);
  }
}

TEST(PairCosts, RefuseImagesOfDifferentShapes) {
  EXPECT_THAT(error_of([] {
                pair_costs(at::zeros({2, 3, 4, 4}), at::zeros({2, 1, 4, 4}), {"squared"});
              }),
              HasSubstr("one shape; these have 48 and 16 numbers"));
  OptionSet set;
  CostOptions options;
  options.describe(set);
  EXPECT_THAT(error_of([&] { set.from_json({{"cost", "cubic"}}, "it"); }), HasSubstr("cost"));
  EXPECT_THAT(error_of([&] { set.from_json({{"cost_power", 1}}, "it"); }), HasSubstr("cost_power"));
}

TEST(BlockEnergy, IsThatOfAFlowWithUnitTime) {
  // Two steps of one image: (3, 0) and (0, 4); of another none.
  const at::Tensor first = at::tensor({3.0, 0.0, 0.0, 0.0}).reshape({2, 2}),
                   second = at::tensor({0.0, 4.0, 0.0, 0.0}).reshape({2, 2});
  const BlockEnergy found = block_energy({first, second});
  EXPECT_NEAR(found.energy()[0].item<double>(), 2 * (9.0 / 2 + 16.0 / 2), 1e-12);
  EXPECT_EQ(found.energy()[1].item<double>(), 0);
  EXPECT_NEAR(found.shares()[0], 9.0 / 25, 1e-12);
  EXPECT_NEAR(found.shares()[1], 16.0 / 25, 1e-12);
  EXPECT_NEAR(found.straightness[0].item<double>(), 5.0 / 7, 1e-12);
  EXPECT_EQ(found.straightness[1].item<double>(), 1);
}

// A straight path of constant speed costs what its end costs, however many steps it takes; a detour more.
TEST(BlockEnergy, OfAStraightPathIsThatOfItsEnd) {
  Rng rng(4);
  const at::Tensor way = normal_points(3, 20, 0, rng);
  for (const int steps : {1, 3, 9}) {
    const BlockEnergy straight =
        block_energy(std::vector<at::Tensor>(static_cast<std::size_t>(steps), way / steps));
    EXPECT_TRUE(at::allclose(straight.energy(), way.square().mean(1)));
    EXPECT_TRUE(at::allclose(straight.straightness, at::ones({3}, at::kDouble)));
  }
  const at::Tensor aside = normal_points(3, 20, 0, rng);
  const BlockEnergy detour = block_energy({way / 2 + aside, way / 2 - aside});
  EXPECT_TRUE((detour.energy() > way.square().mean(1)).all().item<bool>());
  EXPECT_LT(detour.straightness.max().item<double>(), 1);
}

TEST(BlockEnergy, OfSeveralShapesHasNoStraightness) {
  const BlockEnergy found = block_energy({at::ones({2, 4, 8, 8}), at::ones({2, 8, 4, 4})});
  EXPECT_FALSE(found.straightness.defined());
  EXPECT_NEAR(found.energy()[0].item<double>(), 4, 1e-12);
  const BlockEnergy both = joined({found, found});
  EXPECT_EQ(both.blocks.size(0), 4);
  EXPECT_THAT(error_of([] { block_energy({}); }), HasSubstr("there are none"));
}

}  // namespace
}  // namespace torsor
