// Chance and perfection, compared with the losses themselves.
#include "loss/discriminator_scale.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "loss/gan_loss.h"
#include "torsor/error.h"

namespace torsor {
namespace {

double loss(const std::string& mode, double real, double fake) {
  return gan_loss(mode).discriminator(at::full({3}, real), at::full({3}, fake)).item<double>();
}

TEST(DiscriminatorScales, AreThoseOfTheLosses) {
  for (const char* mode : {"lsgan", "vanilla", "minimax", "hinge", "jensen_shannon", "squared_hellinger"}) {
    const auto scale = discriminator_scale(mode);
    ASSERT_TRUE(scale) << mode;
    double blind = loss(mode, 0, 0), sharp = blind;
    for (double score = -2; score <= 2; score += 0.25) blind = std::min(blind, loss(mode, score, score));
    for (double real = -10; real <= 10; real += 5)
      for (double fake = -10; fake <= 10; fake += 5) sharp = std::min(sharp, loss(mode, real, fake));
    EXPECT_NEAR(scale->chance, blind, 1e-6) << mode;
    sharp = std::min(sharp, loss(mode, 1, 0));
    EXPECT_NEAR(scale->perfect, sharp, 1e-3) << mode;
    EXPECT_NEAR(scale->share(blind), 1, 1e-6) << mode;
    EXPECT_NEAR(scale->share(sharp), 0, 1e-3) << mode;
  }
}

TEST(DiscriminatorScales, AreOfBoundedLossesAlone) {
  for (const char* mode : {"wgangp", "kl", "reverse_kl", "pearson"}) EXPECT_FALSE(discriminator_scale(mode));
  for (const char* mode : {"wgangp", "kl", "pearson"}) EXPECT_LT(loss(mode, 99, -2), -90) << mode;
  EXPECT_LT(loss("reverse_kl", 9, -99), -90);
  EXPECT_THROW(discriminator_scale("lsgam"), UsageError);
}

}  // namespace
}  // namespace torsor
