#include "metric/psnr.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace torsor {
namespace {

TEST(Psnr, IsTheFormula) {
  const at::Tensor y = at::zeros({1, 2, 2});
  const at::Tensor x = at::tensor({255.0, 0.0, 0.0, 0.0}).view({1, 2, 2});
  EXPECT_NEAR(psnr(x, y, 255), 10 * std::log10(4), 1e-12);
  EXPECT_NEAR(psnr(x, y, 1), 10 * std::log10(4 / (255.0 * 255)), 1e-12);
  EXPECT_EQ(psnr(x, x, 255), std::numeric_limits<double>::infinity());
  const at::Tensor inside = (x > 0).logical_or(at::tensor({0, 1, 0, 0}).view({1, 2, 2}).to(at::kBool));
  EXPECT_NEAR(psnr_inside(x, y, 255, inside), 10 * std::log10(2), 1e-12);
}

TEST(Psnr, RefusesWhatHasNone) {
  const at::Tensor x = at::zeros({1, 2, 2});
  EXPECT_THROW(psnr(x, at::zeros({1, 2, 3}), 255), Error);
  EXPECT_THROW(psnr(x, x, 0), Error);
  EXPECT_THROW(psnr_inside(x, x, 255, at::zeros({1, 2, 2}, at::kBool)), Error) << "nothing inside";
  EXPECT_THROW(psnr_inside(x, x, 255, x), Error) << "not a mask";
}

}  // namespace
}  // namespace torsor
