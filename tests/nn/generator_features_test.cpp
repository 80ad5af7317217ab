// Outputs of a generator's layers: which they are, that gradients flow, and that the kernels agree.
#include <torch/types.h>

#include "kernels/isa.h"
#include "nn/engine.h"
#include "nn_test_support.h"

namespace torsor {
namespace {

using at::Tensor;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::generator_options;
using ::testing::HasSubstr;
using testing::initialised;
using testing::noise;

using Layers = std::vector<std::int64_t>;

GeneratorOptions blurred(const std::string& net, const std::string& norm = "instance") {
  GeneratorOptions o = generator_options(net, norm);
  o.downsample = o.upsample = "blur";
  return o;
}

// Every layer's output, one after the other, by libtorch.
std::vector<Tensor> all_outputs(const Generator& network, Tensor x) {
  const auto list = std::dynamic_pointer_cast<LayerList>(network.named_children()["model"]);
  std::vector<Tensor> out;
  for (const LayerPtr& layer : list->layers()) out.push_back(x = layer->forward(x));
  return out;
}

void expect_layers(const std::vector<Tensor>& got, const std::vector<Tensor>& all, const Layers& shown) {
  ASSERT_EQ(got.size(), shown.size());
  for (std::size_t i = 0; i < shown.size(); ++i)
    EXPECT_TRUE(at::equal(got[i], all[static_cast<std::size_t>(shown[i])])) << shown[i];
}

TEST(GeneratorFeatures, AreOutputsOfLayers) {
  const auto network = initialised(make_generator(blurred("resnet_2blocks")));
  const Tensor x = noise({2, 3, 16, 20}, 1);
  const at::NoGradGuard no_grad;
  const auto all = all_outputs(*network, x);
  EXPECT_EQ(network->layer_count(), static_cast<std::int64_t>(all.size()));
  // The padded image, convolutions in front of their norms, blurs and blocks, the result.
  const Layers layers = {0, 4, 7, 8, 12, 13, network->layer_count() - 1};
  expect_layers(network->features(x, layers), all, layers);
  EXPECT_THAT(network->feature_channels(3, layers), ElementsAre(3, 4, 4, 8, 8, 8, 3));
  EXPECT_TRUE(at::equal(network->features(x, layers).back(), network->forward(x)));
  EXPECT_TRUE(network->features(x, {}).empty());
}

// In the reference a relu overwrites what is in front of it.
TEST(GeneratorFeatures, AReluBehindShowsUnlessNothingBehindIsComputed) {
  const Tensor x = noise({1, 3, 16, 16}, 1);
  const at::NoGradGuard no_grad;
  const auto normed = initialised(make_generator(generator_options("resnet_2blocks", "instance")));
  const auto all = all_outputs(*normed, x);
  expect_layers(normed->features(x, {5, 7, 8, 10}), all, {6, 7, 9, 10});
  expect_layers(normed->features(x, {4, 8}), all, {4, 8});
  expect_layers(normed->features(x, {8, 9}), all, {9, 9});
  // Without norms the place of one is kept, and the relu reaches the convolution.
  const auto plain = initialised(make_generator(generator_options("resnet_2blocks", "none")));
  const auto others = all_outputs(*plain, x);
  expect_layers(plain->features(x, {4, 7, 10}), others, {6, 9, 10});
  expect_layers(plain->features(x, {4, 5}), others, {4, 5});
}

TEST(GeneratorFeatures, NothingBehindTheLastIsComputed) {
  const auto network = initialised(make_generator(generator_options("resnet_2blocks", "batch")));
  network->features(noise({2, 3, 16, 16}, 1), {2, 4});
  std::vector<std::string> moved;
  for (const auto& [key, tensor] : state_dict(*network))
    if (key.ends_with("num_batches_tracked") && tensor.item<std::int64_t>() > 0) moved.push_back(key);
  EXPECT_THAT(moved, ElementsAre("model.2.num_batches_tracked"));
}

// The sum of all features, weighed at random.
Tensor mixture(const std::vector<Tensor>& features) {
  Tensor total;
  for (const Tensor& feature : features) {
    const Tensor part = (feature * noise(feature.sizes(), 3).to(feature.scalar_type())).sum();
    total = total.defined() ? total + part : part;
  }
  return total;
}

TEST(GeneratorFeatures, GradientsFlowToImagesAndWeights) {
  const auto network = initialised(make_generator(blurred("resnet_2blocks")));
  network->to(at::kDouble);
  const Layers layers = {0, 4, 8, 12, 13};
  const auto gradients = [&](bool by_hand) {
    const Tensor x = noise({1, 3, 16, 16}, 1).to(at::kDouble).requires_grad_(true);
    network->zero_grad();
    std::vector<Tensor> features;
    if (by_hand)
      for (const std::int64_t layer : layers)
        features.push_back(all_outputs(*network, x)[static_cast<std::size_t>(layer)]);
    else
      features = network->features(x, layers);
    mixture(features).backward();
    std::vector<Tensor> out = {x.grad()};
    for (const auto& p : network->named_parameters())
      if (p.value().grad().defined()) out.push_back(p.value().grad().clone());
    return out;
  };
  const auto right = gradients(true), got = gradients(false);
  ASSERT_EQ(got.size(), right.size());
  EXPECT_EQ(got.size(), 1u + 2 * 3 + 2 * 4) << "convolutions in front of blocks, and those of two blocks";
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(at::allclose(got[i], right[i], 1e-9, 1e-9)) << i;
}

TEST(GeneratorFeatures, OtherNetworksAndLayersAreRefused) {
  const Tensor x = noise({1, 3, 128, 128}, 1);
  for (const char* net : {"unet_128", "residual_unet_2"}) {
    const auto network = make_generator(generator_options(net));
    EXPECT_EQ(network->layer_count(), 0) << net;
    EXPECT_THAT(testing::error_of<Error>([&] { network->features(x, {0}); }), HasSubstr("use a resnet"));
    EXPECT_THAT(testing::error_of<Error>([&] { network->feature_channels(3, {0}); }), HasSubstr("resnet"));
  }
  const auto network = make_generator(generator_options("resnet_1blocks"));
  for (const Layers& layers : {Layers{4, 4}, {4, 0}, {-1}, {network->layer_count()}}) {
    EXPECT_THROW(network->features(x, layers), std::logic_error);
    EXPECT_THROW(network->feature_channels(3, layers), std::logic_error);
  }
}

class FeaturesByKernels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (chosen_isa() == Isa::plain) GTEST_SKIP() << "there are no fast kernels here";
  }
};

double relative_error(const Tensor& got, const Tensor& right) {
  return ((got - right).norm() / right.norm().clamp_min(1e-30)).item<double>();
}

// Taps in front of a norm, behind a relu, between and behind blocks; of both ways to halve sides.
TEST_F(FeaturesByKernels, AgreeInValuesAndGradients) {
  for (const bool blurs : {true, false}) {
    GeneratorOptions options = blurs ? blurred("resnet_4blocks") : generator_options("resnet_4blocks");
    options.ngf = 16;
    const auto network = initialised(make_generator(options));
    const Layers layers = blurs ? Layers{0, 4, 8, 12, 14} : Layers{0, 4, 8, 10, 12};
    const auto run = [&](Engine engine) {
      set_engine(*network, engine);
      network->zero_grad();
      const auto features = network->features(noise({2, 3, 32, 32}, 1), layers);
      mixture(features).backward();
      std::vector<Tensor> out;
      for (const Tensor& feature : features) out.push_back(feature.detach());
      for (const auto& p : network->named_parameters())
        if (p.value().grad().defined()) out.push_back(p.value().grad().clone());
      return out;
    };
    const auto right = run(Engine::torch), got = run(Engine::fast);
    ASSERT_EQ(got.size(), right.size());
    bool differs = false;
    for (std::size_t i = 0; i < got.size(); ++i) {
      differs = differs || !at::equal(got[i], right[i]);
      // A bias in front of an instance norm alone has no gradient but rounding.
      if (right[i].dim() == 1 && right[i].norm().item<double>() < 1e-2)
        EXPECT_LT(got[i].norm().item<double>(), 1e-2) << blurs << ' ' << i;
      else
        EXPECT_LT(relative_error(got[i], right[i]), i < layers.size() ? 1e-5 : 5e-3) << blurs << ' ' << i;
    }
    EXPECT_TRUE(differs) << "no kernel ran";
  }
}

TEST_F(FeaturesByKernels, AConvolutionThatIsLookedAtLearnsItsBias) {
  GeneratorOptions options = generator_options("resnet_1blocks");
  options.ngf = 16;
  const auto network = initialised(make_generator(options));
  set_engine(*network, Engine::fast);
  const auto bias = network->named_parameters()["model.4.bias"];
  {
    const at::NoGradGuard no_grad;
    bias.fill_(3);
  }
  const Tensor x = noise({1, 3, 32, 32}, 1);
  const Tensor tapped = network->features(x, {4, 10})[0];
  EXPECT_GT(tapped.mean().item<double>(), 2) << "the bias is there";
  tapped.sum().backward();
  EXPECT_NEAR(bias.grad()[0].item<double>(), 16 * 16, 1e-2);
}

TEST_F(FeaturesByKernels, ACheckedRunSaysWhichBlocksTheyTook) {
  GeneratorOptions options = blurred("resnet_4blocks");
  options.ngf = 16;
  const auto network = initialised(make_generator(options));
  set_engine(*network, Engine::fast);
  ASSERT_TRUE(watch_engine(*network));
  network->features(noise({1, 3, 32, 32}, 1), {0, 4, 12, 14});
  std::vector<std::string> by_kernel;
  for (const LayerPath& path : seen_paths(*network))
    if (path.by_kernel) by_kernel.push_back(path.layers);
  EXPECT_THAT(by_kernel, Contains("12: ResnetBlock"));
  EXPECT_THAT(by_kernel, Contains("13 to 14: ResnetBlock x 2"));
}

}  // namespace
}  // namespace torsor
