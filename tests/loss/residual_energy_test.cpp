// The energy of residuals, by hand.
#include "loss/residual_energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "test_support.h"

namespace torsor::testing {
namespace {

at::Tensor residual(const std::vector<double>& values, at::IntArrayRef sizes) {
  return at::tensor(values, at::kDouble).view(sizes).requires_grad_(true);
}

TEST(ResidualEnergy, IsTheNumberOfBlocksTimesTheirMeanSquares) {
  const std::vector<at::Tensor> r = {residual({1, 2, 3, 4, 0, 0, 0, 2}, {2, 1, 2, 2}),
                                     residual({1, -1}, {2, 1, 1, 1})};
  const at::Tensor each = residual_energy_per_sample(r);
  ASSERT_EQ(each.sizes(), at::IntArrayRef({2}));
  EXPECT_DOUBLE_EQ(each[0].item<double>(), 2 * (30 / 4.0 + 1));
  EXPECT_DOUBLE_EQ(each[1].item<double>(), 2 * (1 + 1));
  EXPECT_DOUBLE_EQ(residual_energy(r).item<double>(), 2 * (34 / 8.0 + 1));
}

TEST(ResidualEnergy, HasTheGradientOfAMeanSquare) {
  const std::vector<at::Tensor> r = {residual({1, 2, 3, 4}, {1, 1, 2, 2}), residual({5, -1}, {1, 2, 1, 1})};
  residual_energy(r).backward();
  EXPECT_TRUE(at::allclose(r[0].grad(), r[0].detach() * (2 * 2 / 4.0)));
  EXPECT_TRUE(at::allclose(r[1].grad(), r[1].detach() * (2 * 2 / 2.0)));
}

TEST(ResidualEnergy, OfNoBlocksIsAMistake) {
  EXPECT_THAT(error_of([] { residual_energy({}); }), ::testing::HasSubstr("residuals"));
}

}  // namespace
}  // namespace torsor::testing
