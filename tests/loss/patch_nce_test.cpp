// The contrastive loss against its formula, written out row by row in double precision.
#include "loss/patch_nce.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

namespace torsor {
namespace {

constexpr double kNceTolerance = 1e-12;

at::Tensor rows(std::int64_t count, std::int64_t width, std::uint64_t seed) {
  return at::empty({count, width}, at::kDouble).normal_(0, 1, at::make_generator<at::CPUGeneratorImpl>(seed));
}

double dot(const at::Tensor& x, std::int64_t i, const at::Tensor& y, std::int64_t j) {
  return (x[i] * y[j]).sum().item<double>();
}

// What row j pays; its group is the rows [begin, begin + size).
double paid(const at::Tensor& q, const at::Tensor& k, std::int64_t j, std::int64_t begin, std::int64_t size,
            double temperature) {
  const double own = std::exp(dot(q, j, k, j) / temperature);
  double all = own;
  for (std::int64_t i = begin; i < begin + size; ++i)
    all += std::exp((i == j ? -10 : dot(q, j, k, i)) / temperature);
  return -std::log(own / all);
}

TEST(PatchNce, OfTwoPatchesByHand) {
  const at::Tensor q = at::eye(2, at::kDouble);
  // Each is like its own key and unlike the other: e / (e + 1), but for the -10 on the diagonal.
  const double right = -std::log(std::exp(1.0) / (std::exp(1.0) + 1 + std::exp(-10.0)));
  EXPECT_TRUE(at::allclose(patch_nce(q, q, 1, 1), at::full({2}, right, at::kDouble), 0, kNceTolerance));
  // Alone it has nothing to be told apart from.
  EXPECT_NEAR(patch_nce(q, q, 2, 0.07).abs().max().item<double>(), 0, kNceTolerance);
}

TEST(PatchNce, IsItsFormulaInEachGroup) {
  const at::Tensor q = rows(12, 5, 1), k = rows(12, 5, 2);
  for (const double temperature : {0.07, 0.8, 50.0})
    for (const std::int64_t groups : {1, 3}) {
      const at::Tensor got = patch_nce(q, k, groups, temperature);
      ASSERT_EQ(got.sizes(), at::IntArrayRef({12}));
      const std::int64_t size = 12 / groups;
      for (std::int64_t j = 0; j < 12; ++j) {
        const double right = paid(q, k, j, j / size * size, size, temperature);
        EXPECT_NEAR(got[j].item<double>(), right, kNceTolerance * std::max(1.0, right))
            << temperature << ' ' << groups << ' ' << j;
      }
    }
}

TEST(PatchNce, ItsOwnKeyAmongTheNegativesShowsAtHighTemperaturesOnly) {
  const at::Tensor q = rows(4, 3, 1), k = rows(4, 3, 2);
  const auto without_own = [&](double temperature) {
    double all = 0;
    for (std::int64_t i = 0; i < 4; ++i) all += std::exp(dot(q, 0, k, i) / temperature);
    return -std::log(std::exp(dot(q, 0, k, 0) / temperature) / all);
  };
  EXPECT_NEAR(patch_nce(q, k, 1, 0.07)[0].item<double>(), without_own(0.07), kNceTolerance);
  EXPECT_GT(patch_nce(q, k, 1, 50)[0].item<double>(), without_own(50) + 0.1);
}

TEST(PatchNce, KeysAreConstants) {
  const at::Tensor q = rows(6, 4, 1).requires_grad_(true), k = rows(6, 4, 2).requires_grad_(true);
  patch_nce(q, k, 2, 0.5).sum().backward();
  EXPECT_FALSE(k.grad().defined());
  EXPECT_GT(q.grad().abs().min().item<double>(), 0);
}

TEST(PatchNce, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor q = rows(6, 3, 1).requires_grad_(true), k = rows(6, 3, 2),
                   weights = rows(6, 1, 3).view({6});
  const auto loss = [&](const at::Tensor& x) { return (patch_nce(x, k, 2, 0.5) * weights).sum(); };
  loss(q).backward();
  constexpr double kStep = 1e-6;
  const at::NoGradGuard no_grad;
  for (std::int64_t i = 0; i < q.numel(); ++i) {
    at::Tensor step = at::zeros_like(q);
    step.view(-1)[i] = kStep;
    const double slope = (loss(q + step) - loss(q - step)).item<double>() / (2 * kStep);
    EXPECT_NEAR(q.grad().view(-1)[i].item<double>(), slope, 1e-8) << i;
  }
}

TEST(PatchNce, ShapesThatCannotBeComparedAreRefused) {
  EXPECT_THROW(patch_nce(rows(4, 3, 1), rows(4, 2, 1), 1, 1), std::logic_error);
  EXPECT_THROW(patch_nce(rows(4, 3, 1), rows(6, 3, 1), 1, 1), std::logic_error);
  EXPECT_THROW(patch_nce(rows(4, 3, 1), rows(4, 3, 1), 3, 1), std::logic_error);
  EXPECT_THROW(patch_nce(rows(4, 3, 1), rows(4, 3, 1), 0, 1), std::logic_error);
}

}  // namespace
}  // namespace torsor
