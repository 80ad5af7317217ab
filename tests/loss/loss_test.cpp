// Every loss against its formula, written out element by element in double precision.
#include <gmock/gmock.h>

#include <set>

#include "core/error.h"
#include "loss/distance.h"
#include "loss/loss_test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// One objective as functions of a single score: what D pays for a real and for a fake one, what G pays.
struct Formula {
  std::function<double(double)> real, fake, generator;
};

Formula f_gan(const std::string& name) {
  const Divergence& d = divergences().at(name);
  const auto fake = [&d](double v) { return d.conjugate(d.activation(v)); };
  return {[&d](double v) { return -d.activation(v); }, fake, [fake](double v) { return -fake(v); }};
}

const std::map<std::string, Formula>& formulas() {
  static const std::map<std::string, Formula> table = {
      {"lsgan",
       {[](double s) { return square(s - 1); }, [](double s) { return square(s); },
        [](double s) { return square(s - 1); }}},
      {"vanilla",
       {[](double s) { return -std::log(sigmoid(s)); }, [](double s) { return -std::log(1 - sigmoid(s)); },
        [](double s) { return -std::log(sigmoid(s)); }}},
      {"minimax",
       {[](double s) { return -std::log(sigmoid(s)); }, [](double s) { return -std::log(1 - sigmoid(s)); },
        [](double s) { return std::log(1 - sigmoid(s)); }}},
      {"hinge",
       {[](double s) { return std::max(0.0, 1 - s); }, [](double s) { return std::max(0.0, 1 + s); },
        [](double s) { return -s; }}},
      {"wgangp", {[](double s) { return -s; }, [](double s) { return s; }, [](double s) { return -s; }}},
      {"kl", f_gan("kl")},
      {"reverse_kl", f_gan("reverse_kl")},
      {"jensen_shannon", f_gan("jensen_shannon")},
      {"squared_hellinger", f_gan("squared_hellinger")},
      {"pearson", f_gan("pearson")},
  };
  return table;
}

class GanModes : public ::testing::TestWithParam<std::string> {
 protected:
  const GanLoss& loss() const { return gan_loss(GetParam()); }
  const Formula& formula() const { return formulas().at(GetParam()); }
};

TEST_P(GanModes, AreTheirFormulasOnPatchMapsOfABatch) {
  const at::Tensor real = scores({3, 1, 5, 4}, 1), fake = scores({2, 1, 7, 6}, 2);
  const double expected = mean_of(real, formula().real) + mean_of(fake, formula().fake);
  EXPECT_NEAR(loss().discriminator(real, fake).item<double>(), expected, kTolerance);
  EXPECT_NEAR(loss().of_real(real).item<double>(), mean_of(real, formula().real), kTolerance);
  EXPECT_NEAR(loss().of_fake(fake).item<double>(), mean_of(fake, formula().fake), kTolerance);
  EXPECT_NEAR(loss().generator(fake).item<double>(), mean_of(fake, formula().generator), kTolerance);
  const at::Tensor each = loss().generator_per_sample(fake);
  ASSERT_EQ(each.sizes(), at::IntArrayRef({2}));
  for (std::int64_t i = 0; i < 2; ++i)
    EXPECT_NEAR(each[i].item<double>(), mean_of(fake[i], formula().generator), kTolerance);
  EXPECT_EQ(loss().discriminator(real, fake).dim(), 0);
  EXPECT_EQ(loss().generator(fake).dim(), 0);
}

TEST_P(GanModes, HaveTheGradientOfTheirFormulas) {
  const at::Tensor real = scores({4, 3}, 3).requires_grad_(true),
                   fake = scores({4, 3}, 4).requires_grad_(true);
  loss().discriminator(real, fake).backward();
  const auto expect_slope = [](const at::Tensor& x, const at::Tensor& gradient,
                               const std::function<double(double)>& f) {
    constexpr double kStep = 1e-6;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const double s = x.detach().view(-1)[i].item<double>();
      const double slope = (f(s + kStep) - f(s - kStep)) / (2 * kStep) / static_cast<double>(x.numel());
      EXPECT_NEAR(gradient.view(-1)[i].item<double>(), slope, 1e-7) << "at score " << s;
    }
  };
  expect_slope(real, real.grad(), formula().real);
  expect_slope(fake, fake.grad(), formula().fake);
  const at::Tensor again = fake.detach().clone().requires_grad_(true);
  loss().generator(again).backward();
  expect_slope(again, again.grad(), formula().generator);
}

TEST_P(GanModes, StayFiniteWhereTheDiscriminatorIsCertain) {
  // e^88 is the largest power of e in float32, as the documentation says.
  const std::set<std::string> exponential = {"kl", "reverse_kl", "squared_hellinger"};
  const at::Tensor low = at::full({2, 1}, exponential.contains(GetParam()) ? -88.0 : -1000.0, at::kFloat),
                   high = -low;
  for (const auto& [real, fake] : {std::pair{low, high}, std::pair{high, low}, std::pair{low, low}}) {
    EXPECT_TRUE(std::isfinite(loss().discriminator(real, fake).item<float>()));
    EXPECT_TRUE(std::isfinite(loss().generator(fake).item<float>()));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GanModes, ::testing::ValuesIn(gan_modes()),
                         [](const auto& info) { return info.param; });

TEST(GanLossTable, HasTheModesAndOnlyTheCriticNeedsAPenalty) {
  EXPECT_THAT(gan_modes(), ElementsAre("lsgan", "vanilla", "minimax", "hinge", "wgangp", "kl", "reverse_kl",
                                       "jensen_shannon", "squared_hellinger", "pearson"));
  for (const auto& mode : gan_modes()) EXPECT_EQ(gan_loss(mode).needs_penalty, mode == "wgangp") << mode;
}

TEST(GanLossTable, AnUnknownModeSuggestsTheNearest) {
  try {
    gan_loss("lsgann");
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("lsgann"), HasSubstr("did you mean 'lsgan'?"), HasSubstr("wgangp")));
  }
}

// Where D is sure that an image is fake, minimax teaches G nothing and vanilla still does.
TEST(GanLossTable, OnlyVanillaStillTeachesALosingGenerator) {
  const auto slope = [](const std::string& mode) {
    const at::Tensor fake = at::full({1}, -20.0, at::kDouble).requires_grad_(true);
    gan_loss(mode).generator(fake).backward();
    return fake.grad().item<double>();
  };
  EXPECT_NEAR(slope("vanilla"), -1, 1e-8);
  EXPECT_NEAR(slope("minimax"), 0, 1e-8);
}

TEST(GanLossTable, VanillaStaysExactFarOut) {
  const at::Tensor far = at::full({1}, -800.0, at::kDouble);
  EXPECT_NEAR(gan_loss("vanilla").generator(far).item<double>(), 800, 1e-9);
  EXPECT_NEAR(gan_loss("minimax").generator(-far).item<double>(), -800, 1e-9);
}

TEST(GanLossOptionsTest, DefaultsAndLimits) {
  GanLossOptions options;
  OptionSet set;
  options.describe(set);
  EXPECT_EQ(options.gan_mode, "lsgan");
  EXPECT_EQ(options.gp_weight, 10);
  set.from_json(Json{{"gp_weight", 0}, {"gan_mode", "wgangp"}}, "run.json");
  EXPECT_EQ(options.gp_weight, 0);
  EXPECT_THROW(set.from_json(Json{{"gp_weight", -1}}, "run.json"), UsageError);
  EXPECT_THROW(set.from_json(Json{{"gan_mode", "gan"}}, "run.json"), UsageError);
}

class GradientPenalty : public ::testing::Test {
 protected:
  at::Tensor real_ = scores({4, 2, 3, 3}, 5), fake_ = scores({4, 2, 3, 3}, 6);
  at::Tensor mix_ = at::linspace(0, 1, 4, at::kDouble).view({4, 1, 1, 1});

  static at::Tensor linear(const at::Tensor& x, const at::Tensor& w) { return (x * w).flatten(1).sum(1); }
};

// D(x) = <w, x> + b has the gradient w everywhere: the penalty is (|w|-1)^2, its slope 2 (|w|-1) w/|w|.
TEST_F(GradientPenalty, OfALinearCriticHasAClosedForm) {
  for (const double scale : {0.01, 0.2, 3.0}) {
    const at::Tensor w = (scores({2, 3, 3}, 7) * scale).requires_grad_(true);
    const at::Tensor penalty =
        gradient_penalty([&](const at::Tensor& x) { return linear(x, w) + 5; }, real_, fake_, mix_);
    const double norm = w.detach().norm().item<double>();
    EXPECT_NEAR(penalty.item<double>(), square(norm - 1), 1e-9);
    penalty.backward();
    const at::Tensor expected = 2 * (norm - 1) / norm * w.detach();
    EXPECT_LT((w.grad() - expected).abs().max().item<double>(), 1e-9);
  }
}

TEST_F(GradientPenalty, OfAUnitCriticIsZero) {
  const at::Tensor w = scores({2, 3, 3}, 8);
  const at::Tensor unit = w / w.norm();
  const auto critic = [&](const at::Tensor& x) { return linear(x, unit); };
  EXPECT_NEAR(gradient_penalty(critic, real_, fake_, mix_).item<double>(), 0, 1e-12);
}

// D(x) = |x|^2/2 has the gradient x, which shows where it is taken: at t real + (1-t) fake, t per sample.
TEST_F(GradientPenalty, IsTakenBetweenRealAndFakeForEverySample) {
  const auto critic = [](const at::Tensor& x) { return x.square().flatten(1).sum(1) / 2; };
  double expected = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    const double t = static_cast<double>(i) / 3;
    expected += square((t * real_[i] + (1 - t) * fake_[i]).norm().item<double>() - 1) / 4;
  }
  EXPECT_NEAR(gradient_penalty(critic, real_, fake_, mix_).item<double>(), expected, 1e-10);
}

// A patch critic's scores are summed before the gradient is taken: D_p(x) = a x_p gives |grad| = |a| sqrt(n).
TEST_F(GradientPenalty, TakesPatchMaps) {
  const auto critic = [](const at::Tensor& x) { return 0.7 * x; };
  const double expected = square(0.7 * std::sqrt(18.0) - 1);
  EXPECT_NEAR(gradient_penalty(critic, real_, fake_, mix_).item<double>(), expected, 1e-10);
}

TEST_F(GradientPenalty, ReachesTheCriticButNotTheImages) {
  const at::Tensor w = scores({2, 3, 3}, 9).requires_grad_(true);
  real_.requires_grad_(true);
  fake_.requires_grad_(true);
  const auto critic = [&](const at::Tensor& x) { return at::tanh(linear(x, w)); };
  gradient_penalty(critic, real_, fake_, mix_).backward();
  EXPECT_GT(w.grad().norm().item<double>(), 0);
  EXPECT_FALSE(real_.grad().defined());
  EXPECT_FALSE(fake_.grad().defined());
}

// |g| has no derivative at 0; a critic of zeros must not turn into NaN.
TEST_F(GradientPenalty, OfACriticOfZerosIsOneAndItsSlopeFinite) {
  const at::Tensor w = at::zeros({2, 3, 3}, at::kDouble).requires_grad_(true);
  const at::Tensor penalty =
      gradient_penalty([&](const at::Tensor& x) { return linear(x, w); }, real_, fake_, mix_);
  EXPECT_NEAR(penalty.item<double>(), 1, 1e-12);
  penalty.backward();
  EXPECT_TRUE(at::isfinite(w.grad()).all().item<bool>());
}

class Distances : public ::testing::Test {
 protected:
  at::Tensor x_ = scores({3, 2, 4, 5}, 10), y_ = scores({3, 2, 4, 5}, 11);
};

TEST_F(Distances, AreMeansOverAllElements) {
  EXPECT_THAT(distance_norms(), ElementsAre("l1", "l2", "euclidean"));
  const at::Tensor difference = x_ - y_;
  EXPECT_NEAR(distance(x_, y_, "l1").item<double>(),
              mean_of(difference, [](double d) { return std::abs(d); }), kTolerance);
  EXPECT_NEAR(distance(x_, y_, "l2").item<double>(), mean_of(difference, square), kTolerance);
}

TEST_F(Distances, EuclideanIsTheNormOfEachSampleAndThenTheMean) {
  double sum = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    const double root = std::sqrt(40 * mean_of(x_[i] - y_[i], square));  // 2 x 4 x 5 elements
    EXPECT_NEAR(distance_per_sample(x_, y_, "euclidean")[i].item<double>(), root, 1e-11);
    sum += root;
  }
  EXPECT_NEAR(distance(x_, y_, "euclidean").item<double>(), sum / 3, 1e-11);
}

// What the papers' bounds ask of a norm; a mean of squares fails it.
TEST_F(Distances, L1AndEuclideanKeepTheTriangleInequalityAndL2DoesNot) {
  const at::Tensor middle = (x_ + y_) / 2;
  for (const auto& [norm, is_norm] :
       {std::pair{"l1", true}, std::pair{"euclidean", true}, std::pair{"l2", false}}) {
    const at::Tensor direct = distance_per_sample(x_, y_, norm),
                     by_way = distance_per_sample(x_, middle, norm) + distance_per_sample(middle, y_, norm);
    EXPECT_EQ((direct <= by_way + 1e-9).all().item<bool>(), is_norm) << norm;
  }
}

TEST_F(Distances, OfOneImageAreZeroAndPullNowhere) {
  for (const auto& norm : distance_norms()) {
    const at::Tensor x = x_.clone().requires_grad_(true);
    const at::Tensor zero = distance(x, x_, norm);
    EXPECT_EQ(zero.item<double>(), 0) << norm;
    zero.backward();
    EXPECT_EQ(x.grad().abs().max().item<double>(), 0) << norm;
  }
}

TEST_F(Distances, AreSymmetricAndScaleWithTheirPower) {
  for (const auto& [norm, power] :
       {std::pair{"l1", 1.0}, std::pair{"l2", 2.0}, std::pair{"euclidean", 1.0}}) {
    const double base = distance(x_, y_, norm).item<double>();
    EXPECT_DOUBLE_EQ(distance(y_, x_, norm).item<double>(), base);
    EXPECT_NEAR(distance(3 * x_, 3 * y_, norm).item<double>(), std::pow(3, power) * base, 1e-11);
  }
}

TEST_F(Distances, PerSampleSeeOneSampleEach) {
  for (const auto& norm : distance_norms()) {
    const at::Tensor each = distance_per_sample(x_, y_, norm);
    ASSERT_EQ(each.sizes(), at::IntArrayRef({3}));
    for (std::int64_t i = 0; i < 3; ++i)
      EXPECT_NEAR(each[i].item<double>(),
                  distance(x_.slice(0, i, i + 1), y_.slice(0, i, i + 1), norm).item<double>(), kTolerance);
    EXPECT_NEAR(each.mean().item<double>(), distance(x_, y_, norm).item<double>(), kTolerance);
  }
}

TEST_F(Distances, AnUnknownNormIsAUsageError) {
  EXPECT_THROW(distance(x_, y_, "l3"), UsageError);
  EXPECT_THROW(distance_per_sample(x_, y_, ""), UsageError);
}

}  // namespace
}  // namespace torsor
