// Instance normalisation with parameters, as torch's InstanceNorm2d(affine=True) with and without running
// statistics computes it.
#include <torch/types.h>

#include "nn_test_support.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;

using testing::error_of;
using testing::generator_options;
using testing::initialised;
using testing::noise;

AffineInstanceNorm shaken(RunningStatistics running) {
  AffineInstanceNorm norm(3, running);
  const at::NoGradGuard no_grad;
  norm.weight.copy_(at::tensor({0.5, -2.0, 0.0}));
  norm.bias.copy_(at::tensor({1.0, 0.25, -0.5}));
  if (norm.running_mean.defined()) {
    norm.running_mean.copy_(at::tensor({0.3, -0.1, 2.0}));
    norm.running_var.copy_(at::tensor({4.0, 0.5, 1.0}));
  }
  return norm;
}

// [C] -> [1,C,1,1].
at::Tensor of_channels(const at::Tensor& values) {
  return values.detach().to(at::kDouble).reshape({1, -1, 1, 1});
}

at::Tensor expected(const AffineInstanceNorm& norm, const at::Tensor& x, const at::Tensor& mean,
                    const at::Tensor& variance) {
  const at::Tensor normed = (x.to(at::kDouble) - mean) / (variance + 1e-5).sqrt();
  return normed * of_channels(norm.weight) + of_channels(norm.bias);
}

at::Tensor by_images(const AffineInstanceNorm& norm, const at::Tensor& x) {
  const at::Tensor exact = x.to(at::kDouble);
  return expected(norm, x, exact.mean({2, 3}, true), exact.var({2, 3}, /*unbiased=*/false, true));
}

TEST(AffineInstanceNorm, NormalisesEachImageAndScalesItInBothModes) {
  AffineInstanceNorm norm = shaken(RunningStatistics::none);
  const at::Tensor x = noise({2, 3, 5, 4}, 1) * 3 + 1;
  for (const bool training : {true, false}) {
    norm.train(training);
    EXPECT_TRUE(at::allclose(norm.forward(x).to(at::kDouble), by_images(norm, x), 1e-5, 1e-5)) << training;
  }
  EXPECT_THAT(error_of([&] { norm.forward(noise({1, 3, 1, 1}, 2)); }), HasSubstr("1x1"));
}

TEST(AffineInstanceNorm, RunningStatisticsAreThoseOfEvaluationMode) {
  AffineInstanceNorm norm = shaken(RunningStatistics::kept);
  const at::Tensor x = noise({2, 3, 5, 4}, 3) * 3 + 1;
  norm.eval();
  const at::Tensor by_running =
      expected(norm, x, of_channels(norm.running_mean), of_channels(norm.running_var));
  EXPECT_TRUE(at::allclose(norm.forward(x).to(at::kDouble), by_running, 1e-5, 1e-5));
  EXPECT_NO_THROW(norm.forward(noise({1, 3, 1, 1}, 2)));
  set_norm_statistics(norm, NormStatistics::batch);
  EXPECT_TRUE(at::allclose(norm.forward(x).to(at::kDouble), by_images(norm, x), 1e-5, 1e-5));
}

TEST(AffineInstanceNorm, TrainingMovesRunningStatisticsToTheMeanOfTheImages) {
  AffineInstanceNorm norm = shaken(RunningStatistics::kept);
  const at::Tensor mean = norm.running_mean.clone(), variance = norm.running_var.clone();
  const at::Tensor x = noise({2, 3, 5, 4}, 4) * 3 + 1;
  EXPECT_TRUE(at::allclose(norm.forward(x).to(at::kDouble), by_images(norm, x), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(norm.running_mean, 0.9 * mean + 0.1 * x.mean({2, 3}).mean(0), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(norm.running_var, 0.9 * variance + 0.1 * x.var({2, 3}, true).mean(0), 1e-4, 1e-5));
}

TEST(AffineInstanceNorm, GradientsAreThoseOfDifferences) {
  AffineInstanceNorm norm = shaken(RunningStatistics::none);
  norm.to(at::kDouble);
  const at::Tensor x = noise({2, 3, 3, 4}, 5).to(at::kDouble).requires_grad_(),
                   wanted = noise({2, 3, 3, 4}, 6).to(at::kDouble);
  const auto loss = [&] { return (norm.forward(x) * wanted).sum(); };
  loss().backward();
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  for (const at::Tensor& t : {at::Tensor(x), norm.weight, norm.bias}) {
    at::Tensor value = t.detach().reshape({-1});
    for (std::int64_t i = 0; i < value.numel(); i += 5) {
      const double kept = value[i].item<double>();
      value[i] = kept + kStep;
      const double above = loss().item<double>();
      value[i] = kept - kStep;
      const double below = loss().item<double>();
      value[i] = kept;
      EXPECT_NEAR(t.grad().reshape({-1})[i].item<double>(), (above - below) / (2 * kStep), 1e-6);
    }
  }
}

TEST(AffineNetworks, HaveAConvolutionsBiasAndTheNormsParameters) {
  for (const char* net : {"resnet_2blocks", "unet_128", "residual_unet_2", "autoencoder_16"}) {
    for (const char* norm : {"instance_affine", "instance_affine_running"}) {
      const auto g = initialised(make_generator(generator_options(net, norm)));
      const auto plain = make_generator(generator_options(net, "instance"));
      EXPECT_GT(parameter_count(*g), parameter_count(*plain)) << net << norm;
      bool runs = false;
      for (const auto& [name, tensor] : state_dict(*g)) runs = runs || name.ends_with("running_mean");
      EXPECT_EQ(runs, keeps_running_statistics(norm));
      const std::int64_t side = std::max<std::int64_t>(g->size_rule().minimum, 2 * g->size_rule().multiple);
      g->forward(noise({1, 3, side, side}, 7)).sum().backward();
      for (const at::Tensor& parameter : g->parameters()) EXPECT_TRUE(parameter.grad().defined()) << net;
    }
  }
}

TEST(ConvBias, IsTheReferencesUnlessAnotherProgramSaysOtherwise) {
  for (const auto& [norm, with] : {std::pair{"instance", Bias::yes},
                                   {"instance_affine", Bias::yes},
                                   {"batch", Bias::no},
                                   {"none", Bias::no}}) {
    EXPECT_EQ(inner_bias(norm, "auto"), with) << norm;
    EXPECT_EQ(inner_bias(norm, "yes"), Bias::yes);
    EXPECT_EQ(inner_bias(norm, "no"), Bias::no);
  }
}

}  // namespace
}  // namespace torsor
