// What the networks do: the range of their outputs, dropout, residuals, gradients.
#include <cmath>

#include "nn_test_support.h"

namespace torsor {
namespace {

using testing::discriminator_options;
using testing::error_of;
using testing::generator_options;
using ::testing::HasSubstr;
using testing::initialised;
using testing::noise;
using ::testing::Not;
using testing::tensor_names;

TEST(OutputActivation, TanhIsBoundedAndLinearIsNot) {
  for (const auto& [net, side] : {std::pair{"resnet_1blocks", 32}, std::pair{"unet_128", 128}}) {
    GeneratorOptions options = generator_options(net);
    const auto largest = [&](const char* activation) {
      options.output_activation = activation;
      const auto network = make_generator(options);
      init_weights(*network, {"normal", 1}, 3);
      return network->forward(noise({1, 3, side, side}, 3));
    };
    const at::Tensor bounded = largest("tanh"), unbounded = largest("linear");
    EXPECT_LE(bounded.abs().max().item<float>(), 1) << net;
    EXPECT_GT(unbounded.max().item<float>(), 1) << net;
    EXPECT_LT(unbounded.min().item<float>(), -1) << net;
    EXPECT_TRUE(at::equal(at::tanh(unbounded), bounded)) << net;
  }
  EXPECT_THROW(make_output_activation("sigmoid"), UsageError);
}

std::shared_ptr<Generator> with_dropout(const char* net) {
  GeneratorOptions options = generator_options(net, "none");
  options.dropout = true;
  return initialised(make_generator(options));
}

std::size_t dropout_count(const torch::nn::Module& module) {
  std::size_t count = 0;
  for (const auto& child : module.modules()) count += dynamic_cast<Dropout*>(child.get()) != nullptr ? 1 : 0;
  return count;
}

TEST(DropoutInNetworks, StandsWhereTheReferenceHasIt) {
  EXPECT_EQ(dropout_count(*with_dropout("resnet_4blocks")), 4u);
  EXPECT_EQ(dropout_count(*with_dropout("unet_128")), 2u);
  EXPECT_EQ(dropout_count(*with_dropout("unet_256")), 3u);
  EXPECT_EQ(dropout_count(*make_generator(generator_options("resnet_4blocks"))), 0u);
}

// It closes the 8w-to-8w blocks between the innermost and the narrower ones, behind the block's last norm,
// keeps half of the elements and doubles them.
TEST(DropoutInNetworks, ClosesTheMiddleBlocksOfAUnet) {
  const auto network = with_dropout("unet_128");
  set_dropout_generator(*network, testing::generator(6));
  const at::Tensor ones = at::ones({100, 1000});
  std::vector<std::string> places;
  for (const auto& item : network->named_modules()) {
    auto* dropout = dynamic_cast<Dropout*>(item.value().get());
    if (dropout == nullptr) continue;
    places.push_back(item.key());
    const at::Tensor y = dropout->forward(ones);
    EXPECT_TRUE(((y == 0) | (y == 2)).all().item<bool>()) << item.key();
    EXPECT_NEAR((y == 2).to(at::kDouble).mean().item<double>(), 0.5, 5 * std::sqrt(0.25 / 1e5)) << item.key();
  }
  const std::string to_middle =
      "model.model.1.model.3.model.3.model.3";  // four blocks of growing width lead there
  EXPECT_THAT(places,
              ::testing::UnorderedElementsAre(to_middle + ".model.7", to_middle + ".model.3.model.7"));
}

TEST(DropoutInNetworks, MovesTheSecondConvolutionOfAResnetBlockAndNoneOfAUnet) {
  const auto with = tensor_names(*with_dropout("resnet_1blocks"));
  const auto without = tensor_names(*make_generator(generator_options("resnet_1blocks", "none")));
  EXPECT_THAT(with, ::testing::Contains("model.10.conv_block.6.weight"));
  EXPECT_THAT(with, Not(::testing::Contains("model.10.conv_block.5.weight")));
  EXPECT_THAT(without, ::testing::Contains("model.10.conv_block.5.weight"));
  EXPECT_EQ(with.size(), without.size());
  EXPECT_EQ(tensor_names(*with_dropout("unet_128")),
            tensor_names(*make_generator(generator_options("unet_128", "none"))));
}

TEST(DropoutInNetworks, ActsWhileTrainingOnlyAndIsDrawnFromItsGenerator) {
  for (const auto& [net, side] : {std::pair{"resnet_2blocks", 16}, std::pair{"unet_128", 128}}) {
    const auto network = with_dropout(net);
    const at::Tensor x = noise({1, 3, side, side}, 4);
    EXPECT_THROW(network->forward(x), std::logic_error) << "a draw without a generator";
    set_dropout_generator(*network, testing::generator(5));
    const at::Tensor first = network->forward(x), second = network->forward(x);
    EXPECT_FALSE(at::equal(first, second)) << net;
    set_dropout_generator(*network, testing::generator(5));
    EXPECT_TRUE(at::equal(network->forward(x), first)) << net;
    EXPECT_TRUE(at::equal(network->forward(x), second)) << net;
    network->eval();
    EXPECT_TRUE(at::equal(network->forward(x), network->forward(x))) << net;
    EXPECT_FALSE(at::equal(network->forward(x), first)) << net;
  }
}

TEST(Residuals, AreReportedBlockByBlockAndLeaveTheResultAlone) {
  const auto network = initialised(make_generator(generator_options("resnet_3blocks")));
  const at::Tensor x = noise({2, 3, 16, 16}, 6);
  std::vector<at::Tensor> residuals;
  EXPECT_TRUE(at::equal(network->forward_with_residuals(x, residuals), network->forward(x)));
  ASSERT_EQ(residuals.size(), 3u);
  for (const auto& v : residuals) {
    EXPECT_EQ(v.sizes(), at::IntArrayRef({2, 8, 4, 4}));
    EXPECT_GT(v.abs().max().item<float>(), 0);
  }
}

TEST(Residuals, VanishWithTheBlocksWeights) {
  const auto network = initialised(make_generator(generator_options("resnet_2blocks", "none")));
  at::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_dict(*network))
    if (name.starts_with("model.11.conv_block")) tensor.zero_();
  std::vector<at::Tensor> residuals;
  network->forward_with_residuals(noise({1, 3, 16, 16}, 7), residuals);
  EXPECT_GT(residuals.at(0).abs().max().item<float>(), 0);
  EXPECT_EQ(residuals.at(1).abs().max().item<float>(), 0);
}

TEST(Residuals, AUnetHasNone) {
  std::vector<at::Tensor> residuals;
  const auto network = make_generator(generator_options("unet_128"));
  EXPECT_THAT(error_of([&] {
                network->forward_with_residuals(noise({1, 3, 128, 128}, 1), residuals);
              }),
              HasSubstr("resnet"));
}

TEST(Gradients, ReachEveryParameter) {
  const auto expect_all = [](const std::shared_ptr<Network>& network, std::int64_t side) {
    network->forward(noise({2, 3, side, side}, 8)).square().sum().backward();
    for (const auto& item : network->named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_GT(item.value().grad().abs().max().item<float>(), 0) << item.key();
    }
  };
  expect_all(initialised(make_generator(generator_options("resnet_2blocks", "batch"))), 16);
  expect_all(initialised(make_generator(generator_options("unet_128", "batch"))), 128);
  expect_all(initialised(make_discriminator(discriminator_options("basic", "batch"))), 32);
  expect_all(initialised(make_discriminator(discriminator_options("pixel", "batch"))), 8);
}

}  // namespace
}  // namespace torsor
