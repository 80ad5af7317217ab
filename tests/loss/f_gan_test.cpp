// f-GANs: their discriminators find the divergences that they are named for, and their generators descend
// them.
#include <ATen/Parallel.h>

#include "loss/loss_test_support.h"

namespace torsor {
namespace {

class FGans : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { at::set_num_threads(1); }  // for so little work, threads mostly wait for each other

  /// Eight images each, of three kinds: P = (5, 2, 1)/8 are real, Q = (1, 3, 4)/8 generated.
  const std::vector<double> p_ = {5, 2, 1}, q_ = {1, 3, 4};

  const GanLoss& loss() const { return gan_loss(GetParam()); }
  static at::Tensor kinds(const std::vector<double>& counts) {
    std::vector<std::int64_t> out;
    for (std::size_t kind = 0; kind < counts.size(); ++kind)
      out.insert(out.end(), static_cast<std::size_t>(counts[kind]), static_cast<std::int64_t>(kind));
    return at::tensor(out, at::kLong);
  }
  /// What a discriminator that gives each kind its score can tell apart.
  at::Tensor bound(const at::Tensor& scores) const {
    return -loss().discriminator(scores.index_select(0, kinds(p_)), scores.index_select(0, kinds(q_)));
  }
  double divergence() const {
    double sum = 0;
    for (std::size_t i = 0; i < p_.size(); ++i)
      sum += q_[i] / 8 * divergences().at(GetParam()).f(p_[i] / q_[i]);
    return sum;
  }
  /// By gradient ascent from 0; every bound is concave in the scores.
  at::Tensor best_scores() const {
    at::Tensor v = at::zeros({3}, at::kDouble).requires_grad_(true);
    for (int step = 0; step < 1000; ++step) {
      v.mutable_grad() = at::Tensor();
      bound(v).backward();
      const at::NoGradGuard no_grad;
      v += 0.5 * v.grad();
    }
    return v.detach();
  }
};

TEST_P(FGans, TheBestDiscriminatorAttainsTheDivergence) {
  EXPECT_GT(divergence(), 0.1);
  EXPECT_NEAR(bound(best_scores()).item<double>(), divergence(), 1e-10);
}

TEST_P(FGans, NoOtherDiscriminatorSeesMoreThanTheDivergence) {
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    EXPECT_LE(bound(scores({3}, seed)).item<double>(), divergence() + kTolerance) << seed;
}

// With the best discriminator d/dQ of the bound, which is all that the generator sees, is d/dQ of D_f:
// f(u) - u f'(u) at u = p/q, which is -f*(f'(u)), the generator's loss of an image of that kind.
TEST_P(FGans, TheGeneratorDescendsTheDivergence) {
  const at::Tensor each = loss().generator_per_sample(best_scores().unsqueeze(1));
  constexpr double kStep = 1e-6;
  for (std::size_t i = 0; i < p_.size(); ++i) {
    const auto share = [&](double q) { return q * divergences().at(GetParam()).f(p_[i] / 8 / q); };
    const double slope = (share(q_[i] / 8 + kStep) - share(q_[i] / 8 - kStep)) / (2 * kStep);
    EXPECT_NEAR(each[static_cast<std::int64_t>(i)].item<double>(), slope, 1e-6) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, FGans,
                         ::testing::Values("kl", "reverse_kl", "jensen_shannon", "squared_hellinger",
                                           "pearson"),
                         [](const auto& info) { return info.param; });

// The divergences themselves, written out: f(u) alone would not show P and Q exchanged.
TEST(FGanDivergences, AreTheOnesNamed) {
  const double p = 0.7, q = 0.2;
  const auto share = [&](const std::string& name) { return q * divergences().at(name).f(p / q); };
  EXPECT_NEAR(share("kl"), p * std::log(p / q), kTolerance);
  EXPECT_NEAR(share("reverse_kl"), q * std::log(q / p), kTolerance);
  EXPECT_NEAR(share("jensen_shannon"), p * std::log(2 * p / (p + q)) + q * std::log(2 * q / (p + q)),
              kTolerance);
  EXPECT_NEAR(share("squared_hellinger"), square(std::sqrt(p) - std::sqrt(q)), kTolerance);
  EXPECT_NEAR(share("pearson"), square(p - q) / q, kTolerance);
}

TEST(FGanDivergences, JensenShannonIsMinimaxButForAConstant) {
  const at::Tensor real = scores({5, 2}, 20), fake = scores({5, 2}, 21);
  EXPECT_NEAR(gan_loss("jensen_shannon").discriminator(real, fake).item<double>(),
              gan_loss("minimax").discriminator(real, fake).item<double>() - 2 * std::log(2.0), kTolerance);
}

}  // namespace
}  // namespace torsor
