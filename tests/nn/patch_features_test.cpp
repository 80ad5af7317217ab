// What CUT compares patches by: the pixels, their projection, and its length.
#include "nn/patch_features.h"

#include <torch/types.h>

#include "nn_test_support.h"

namespace torsor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::noise;

PatchFeatureOptions narrow() {
  PatchFeatureOptions o;
  o.channels = "3,5";
  o.width = 4;
  return o;
}

std::shared_ptr<PatchFeatures> network() {
  return testing::initialised(std::make_shared<PatchFeatures>(narrow()));
}

TEST(NumberLists, AreWholeNumbersBetweenCommas) {
  EXPECT_THAT(whole_numbers("0,4,16", "x"), ElementsAre(0, 4, 16));
  EXPECT_THAT(whole_numbers("7", "x"), ElementsAre(7));
  EXPECT_EQ(number_list({3, 128, 256}), "3,128,256");
  for (const char* bad : {"", ",", "1,", ",1", "1,,2", "a", "1 2", "-1", "1.5", "12345678901"})
    EXPECT_THAT(testing::error_of<UsageError>([&] { whole_numbers(bad, "--some-list"); }),
                HasSubstr("--some-list"))
        << bad;
}

TEST(PatchFeatures, KeysAndShapesAreThoseOfTheProgram) {
  std::vector<std::string> found;
  for (const auto& [key, tensor] : state_dict(*network()))
    found.push_back(fmt::format("{} {}", key, number_list(tensor.sizes().vec())));
  EXPECT_THAT(found,
              ElementsAre("mlp_0.0.weight 4,3", "mlp_0.0.bias 4", "mlp_0.2.weight 4,4", "mlp_0.2.bias 4",
                          "mlp_1.0.weight 4,5", "mlp_1.0.bias 4", "mlp_1.2.weight 4,4", "mlp_1.2.bias 4"));
  const ShapesOnly outline;
  EXPECT_EQ(parameter_count(PatchFeatures(PatchFeatureOptions())), 560384);
}

TEST(PatchFeatures, AreInitialisedLikeOtherNetworks) {
  PatchFeatureOptions wide;
  wide.channels = "300";
  wide.width = 200;
  const auto network = std::make_shared<PatchFeatures>(wide);
  PatchFeatures& features = *network;
  init_weights(features, {"xavier", 0.5}, 1);
  const auto weights = state_dict(features);
  EXPECT_NEAR(weights[0].second.std().item<double>(), 0.5 * std::sqrt(2.0 / 500), 1e-3);
  EXPECT_EQ(weights[1].second.abs().max().item<double>(), 0);
  EXPECT_NEAR(weights[2].second.std().item<double>(), 0.5 * std::sqrt(2.0 / 400), 1e-3);
  init_weights(features, {"kaiming", 1}, 1);
  EXPECT_NEAR(weights[0].second.std().item<double>(), std::sqrt(2.0 / 300), 2e-3);
  init_weights(features, {"orthogonal", 1}, 1);
  const at::Tensor w = weights[0].second.detach();
  EXPECT_TRUE(at::allclose(at::mm(w, w.t()), at::eye(200), 1e-4, 1e-4));
}

TEST(PatchFeatures, ProjectThroughTwoLayersToLengthOne) {
  const auto f = network();
  const auto weights = state_dict(*f);
  const at::NoGradGuard no_grad;
  const at::Tensor x = noise({6, 5}, 1),
                   hidden = at::relu(at::linear(x, weights[4].second, weights[5].second)),
                   v = at::linear(hidden, weights[6].second, weights[7].second);
  const at::Tensor got = f->project(1, x);
  EXPECT_TRUE(at::allclose(got, v / v.norm(2, 1, true), 1e-5, 1e-6));
}

TEST(PatchFeatures, OfAnImageAreThoseOfItsPixels) {
  const auto f = network();
  const at::NoGradGuard no_grad;
  const at::Tensor x = noise({2, 8, 3, 4}, 1), y = f->forward(x);
  ASSERT_EQ(y.sizes(), at::IntArrayRef({2, 8, 3, 4}));
  for (const auto& [n, h, w] : {std::array{0, 0, 0}, {1, 2, 3}, {1, 1, 0}}) {
    const at::Tensor pixel = x.index({n, at::indexing::Slice(), h, w}).view({1, 8}),
                     got = y.index({n, at::indexing::Slice(), h, w});
    EXPECT_TRUE(at::allclose(got.narrow(0, 0, 4), f->project(0, pixel.narrow(1, 0, 3))[0], 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(got.narrow(0, 4, 4), f->project(1, pixel.narrow(1, 3, 5))[0], 1e-5, 1e-6));
  }
}

TEST(PatchFeatures, BadOptionsAreRefused) {
  EXPECT_THAT(testing::error_of<UsageError>([] {
                options_from_json<PatchFeatureOptions>({{"channels", "3,0"}}, "a.safetensors");
              }),
              HasSubstr("a.safetensors"));
  EXPECT_THAT(testing::error_of<UsageError>([] {
                options_from_json<PatchFeatureOptions>({{"width", 0}}, "a.safetensors");
              }),
              HasSubstr("width"));
}

TEST(PixelsAt, AreTakenRowByRowOfEachImageInTurn) {
  // The value names image, channel and position.
  const at::Tensor x = at::arange(2 * 3 * 2 * 4, at::kDouble).view({2, 3, 2, 4});
  const at::Tensor got = pixels_at(x, at::tensor({5, 0}, at::kLong));
  const at::Tensor right = at::tensor({5., 13., 21., 0., 8., 16., 29., 37., 45., 24., 32., 40.}).view({4, 3});
  EXPECT_TRUE(at::equal(got, right.to(at::kDouble)));
}

// One image: where libtorch's instance norm goes wrong by gradients in another layout.
TEST(PixelsAt, TheirGradientIsRightThroughAnInstanceNorm) {
  const at::Tensor x = noise({1, 3, 4, 5}, 1).to(at::kDouble), positions = at::tensor({7, 2, 11}, at::kLong),
                   weights = noise({3, 3}, 2).to(at::kDouble);
  const auto value = [&](const at::Tensor& image) {
    return (pixels_at(InstanceNorm().forward(image), positions) * weights).sum();
  };
  const at::Tensor leaf = x.clone().requires_grad_(true);
  value(leaf).backward();
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < x.numel(); i += 7) {
    at::Tensor step = at::zeros_like(x);
    step.view(-1)[i] = kStep;
    const double slope = (value(x + step) - value(x - step)).item<double>() / (2 * kStep);
    EXPECT_NEAR(leaf.grad().contiguous().view(-1)[i].item<double>(), slope, 1e-7) << i;
  }
}

TEST(UnitRows, AddTheFloorToTheLength) {
  const at::Tensor v = at::tensor({3e-7, 4e-7, 3., 4., 0., 0.}, at::kDouble).view({3, 2});
  const at::Tensor right =
      at::tensor({3. / 6, 4. / 6, 3 / (5 + 1e-7), 4 / (5 + 1e-7), 0., 0.}, at::kDouble).view({3, 2});
  EXPECT_TRUE(at::allclose(unit_rows(v), right, 1e-12, 0));
}

TEST(UnitRows, GradientsAreThoseOfFiniteDifferencesAndZeroForZeros) {
  const at::Tensor v = noise({3, 4}, 1).to(at::kDouble), weights = noise({3, 4}, 2).to(at::kDouble);
  v[1].mul_(1e-6);
  v[2].zero_();
  const at::Tensor leaf = v.clone().requires_grad_(true);
  const auto value = [&](const at::Tensor& x) { return (unit_rows(x) * weights).sum(); };
  value(leaf).backward();
  for (std::int64_t row = 0; row < 2; ++row)
    for (std::int64_t i = 0; i < 4; ++i) {
      const double h = row == 0 ? 1e-6 : 1e-11;
      at::Tensor step = at::zeros_like(v);
      step[row][i] = h;
      const double slope = (value(v + step) - value(v - step)).item<double>() / (2 * h);
      EXPECT_NEAR(leaf.grad()[row][i].item<double>(), slope, 1e-4 * std::max(1e-3, std::abs(slope)));
    }
  EXPECT_TRUE(at::equal(leaf.grad()[2], at::zeros({4}, at::kDouble)));
}

}  // namespace
}  // namespace torsor
