// Whole generators with and without kernels.
#include "nn/engine.h"

#include <ATen/ATen.h>
#include <torch/autograd.h>

#include "kernels/bf16_stages.h"
#include "kernels/kernel_test_support.h"
#include "nn/nn_test_support.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

std::shared_ptr<Generator> generator_of(const std::string& net, const std::string& norm, std::int64_t ngf,
                                        bool dropout = false) {
  GeneratorOptions options = generator_options(net, norm);
  options.ngf = ngf;
  options.dropout = dropout;
  auto network = initialised(make_generator(options));
  const at::NoGradGuard no_grad;
  for (const auto& p : network->named_parameters())  // norms' and biases: as training leaves them
    if (p.value().dim() == 1 && norm == "instance_affine") p.value().add_(noise(p.value().sizes(), 5), 0.3);
  set_dropout_generator(*network, testing::generator(4));
  return network;
}

Tensor with(Generator& network, Engine engine, const Tensor& x) {
  set_engine(network, engine);
  set_dropout_generator(network, testing::generator(4));
  return network.forward(x);
}

class Engines : public ::testing::Test {
 protected:
  void SetUp() override {
    if (chosen_isa() == Isa::plain) GTEST_SKIP() << "there are no fast kernels here";
  }
  Tensor x_ = noise({2, 3, 40, 32}, 1);
};

class EachImageNorm : public Engines, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Norms, EachImageNorm, ::testing::Values("instance", "instance_affine"));

TEST_P(EachImageNorm, AgreesInValuesResidualsAndGradients) {
  const auto network = generator_of("resnet_3blocks", GetParam(), 8);
  const auto gradients = [&](Engine engine) {
    set_engine(*network, engine);
    std::vector<Tensor> residuals;
    const Tensor y = network->forward_with_residuals(x_, residuals);
    std::vector<Tensor> out = {y.detach()};
    for (const Tensor& r : residuals) out.push_back(r.detach());
    network->zero_grad();
    ((y * noise(y.sizes(), 3)).sum() + residuals[1].pow(2).sum()).backward();
    for (const auto& p : network->named_parameters()) out.push_back(p.value().grad().clone());
    return out;
  };
  const std::vector<Tensor> right = gradients(Engine::torch), got = gradients(Engine::automatic);
  ASSERT_EQ(got.size(), right.size());
  EXPECT_FALSE(at::equal(got[0], right[0])) << "the kernel did not run";
  for (std::size_t i = 0; i < 4; ++i) EXPECT_LT(error_of(got[i], right[i]), 1e-5) << i;
  const auto names = network->named_parameters().keys();
  for (std::size_t i = 4; i < got.size(); ++i) {
    // A bias in front of an instance norm has no gradient but rounding.
    if (right[i].norm().item<double>() < 1e-3)
      EXPECT_LT(got[i].norm().item<double>(), 1e-3) << names[i - 4];
    else
      EXPECT_LT(error_of(got[i], right[i]), 5e-3) << names[i - 4];
  }
}

TEST_F(Engines, AutomaticLeavesFewChannelsToLibtorch) {
  const auto network = generator_of("resnet_2blocks", "instance", 4);
  const at::NoGradGuard no_grad;
  const Tensor right = with(*network, Engine::torch, x_);
  EXPECT_TRUE(at::equal(with(*network, Engine::automatic, x_), right));
  const Tensor fast = with(*network, Engine::fast, x_);
  EXPECT_FALSE(at::equal(fast, right));
  EXPECT_LT(error_of(fast, right), 1e-5);
}

// Other norms, dropout at work and odd numbers of channels stand between what kernels compute.
TEST_F(Engines, WhatTheKernelsDoNotComputeGoesToLibtorch) {
  const at::NoGradGuard no_grad;
  for (const char* norm : {"batch", "none"}) {
    const auto network = generator_of("resnet_2blocks", norm, 16);
    EXPECT_LT(error_of(with(*network, Engine::fast, x_), with(*network, Engine::torch, x_)), 1e-5) << norm;
  }
  const auto odd = generator_of("resnet_2blocks", "instance", 9);
  EXPECT_TRUE(at::equal(with(*odd, Engine::fast, x_), with(*odd, Engine::torch, x_))) << "9, 18, 36 channels";
  const auto dropping = generator_of("resnet_2blocks", "instance", 8, true);
  EXPECT_LT(error_of(with(*dropping, Engine::fast, x_), with(*dropping, Engine::torch, x_)), 1e-5)
      << "dropout at work";
  dropping->eval();
  EXPECT_FALSE(at::equal(with(*dropping, Engine::fast, x_), with(*dropping, Engine::torch, x_))) << "at rest";
  const auto exact = generator_of("resnet_2blocks", "instance", 8);
  exact->to(at::kDouble);
  const Tensor x = x_.to(at::kDouble);
  EXPECT_TRUE(at::equal(with(*exact, Engine::fast, x), with(*exact, Engine::torch, x))) << "float64";
}

struct NamedDiscriminator {
  const char *name, *norm, *downsample = "strided";
};

// Values, and the gradients of the images and of every parameter, of discriminators.
TEST_F(Engines, AgreeOnDiscriminators) {
  for (const auto& [name, norm, downsample] : {NamedDiscriminator{"basic", "instance"},
                                               {"basic", "instance", "blur"},
                                               {"basic", "batch"},
                                               {"basic", "none"},
                                               {"pixel", "instance"},
                                               {"full_32", "none"}}) {
    DiscriminatorOptions options;
    options.net_d = name;
    options.norm = norm;
    options.downsample = downsample;
    options.ndf = 32;
    const auto network = initialised(make_discriminator(options));
    const auto gradients = [&](Engine engine) {
      set_engine(*network, engine);
      network->zero_grad();
      const Tensor x = noise({2, 3, 40, 48}, 1).requires_grad_(), y = network->forward(x);
      (y * noise(y.sizes(), 3)).sum().backward();
      std::vector<Tensor> out = {y.detach(), x.grad()};
      for (const auto& p : network->parameters()) out.push_back(p.grad().clone());
      return out;
    };
    const std::vector<Tensor> right = gradients(Engine::torch), got = gradients(Engine::fast);
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (right[i].norm().item<double>() < 1e-3)  // a bias in front of an instance norm
        EXPECT_LT(got[i].norm().item<double>(), 1e-3) << name << ' ' << norm << ' ' << i;
      else
        EXPECT_LT(error_of(got[i], right[i]), 5e-4) << name << ' ' << norm << ' ' << i;
    }
  }
}

// A gradient penalty's: of the norm of the images' gradient.
TEST_P(EachImageNorm, AgreesOnGradientsOfGradients) {
  DiscriminatorOptions options;
  options.ndf = 32;
  options.norm = GetParam();
  const auto network = initialised(make_discriminator(options));
  const auto penalty = [&](Engine engine) {
    set_engine(*network, engine);
    network->zero_grad();
    const Tensor x = noise({1, 3, 40, 48}, 1).requires_grad_();
    const Tensor slope = torch::autograd::grad({network->forward(x).sum()}, {x}, {}, /*retain_graph=*/true,
                                               /*create_graph=*/true)[0];
    slope.pow(2).sum().backward();
    std::vector<Tensor> out = {slope.detach()};
    for (const auto& p : network->parameters())
      if (p.dim() == 4) out.push_back(p.grad().clone());
    return out;
  };
  const std::vector<Tensor> right = penalty(Engine::torch), got = penalty(Engine::fast);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LT(error_of(got[i], right[i]), 1e-3) << i;
}

// Under autocast kernels multiply bfloat16, also behind layers that are libtorch's and come out in bfloat16;
// where there is no kernel for it, all is libtorch's.
TEST_F(Engines, UnderAutocastErrNoMoreThanLibtorch) {
  for (const std::int64_t ngf : {16, 32}) {
    const auto network = generator_of("resnet_3blocks", "instance", ngf);
    watch_engine(*network);
    const auto outcome = [&](Engine engine) {
      set_engine(*network, engine);
      network->zero_grad();
      const Tensor y = network->forward(x_).to(at::kFloat);
      (y * noise(y.sizes(), 3)).sum().backward();
      Tensors all = {y.detach()};
      for (const auto& p : network->named_parameters())
        if (p.key().ends_with("weight")) all.push_back(p.value().grad().clone());
      return all;
    };
    const Tensors exact = outcome(Engine::torch);  // of floats: much closer than either
    const Autocast bf16;
    const Tensors right = outcome(Engine::torch), got = outcome(Engine::automatic);
    if (bf16_stages(chosen_isa()) == nullptr) {
      EXPECT_TRUE(at::equal(got[0], right[0]));
      continue;
    }
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(error_of(got[i], exact[i]), 1.2 * error_of(right[i], exact[i]))
          << ngf << " filters, result " << i;
    const std::vector<LayerPath> paths = seen_paths(*network);
    EXPECT_TRUE(std::any_of(paths.begin(), paths.end(), [](const LayerPath& path) {
      return path.by_kernel && path.layers.find("ResnetBlock") != std::string::npos;
    })) << ngf;
  }
}

// Each way of a network's layers to be computed, given the same weights, one changed in between.
TEST_P(EachImageNorm, SeesChangedWeights) {
  const auto network = generator_of("resnet_1blocks", GetParam(), 16);
  const at::NoGradGuard no_grad;
  for (const auto& p : network->named_parameters()) {
    with(*network, Engine::fast, x_);
    p.value().mul_(0.5).add_(0.01);
    const Tensor right = with(*network, Engine::torch, x_);
    EXPECT_LT(error_of(with(*network, Engine::fast, x_), right), 1e-4) << p.key();
  }
}

TEST_F(Engines, CheckSaysWhoComputedWhatAndHowFarApartTheyAre) {
  const auto network = generator_of("resnet_2blocks", "instance", 32);
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(seen_paths(*network).empty());
  const Tensor right = with(*network, Engine::automatic, x_);
  EXPECT_TRUE(seen_paths(*network).empty());
  EXPECT_TRUE(at::equal(with(*network, Engine::check, x_), right));
  with(*network, Engine::check, x_ * 0.5);
  std::vector<std::string> layers;
  for (const LayerPath& path : seen_paths(*network)) {
    layers.push_back(path.layers);
    EXPECT_EQ(path.by_kernel, path.layers != "20: Tanh") << path.layers;
    EXPECT_EQ(path.worst.has_value(), path.by_kernel) << path.layers;
    if (path.layers.find("Resnet") != std::string::npos) {
      EXPECT_GT(path.worst.value_or(0), 0) << path.layers;
    }
    EXPECT_LT(path.worst.value_or(0), 1e-5) << path.layers;
  }
  EXPECT_EQ(layers,
            (std::vector<std::string>{"0 to 1: ReflectionPad, Conv", "2 to 4: InstanceNorm, Relu, Conv",
                                      "5 to 7: InstanceNorm, Relu, Conv", "8 to 9: InstanceNorm, Relu",
                                      "10 to 11: ResnetBlock x 2", "12: ConvTranspose",
                                      "13 to 15: InstanceNorm, Relu, ConvTranspose",
                                      "16 to 19: InstanceNorm, Relu, ReflectionPad, Conv", "20: Tanh"}));
}

TEST_F(Engines, CheckSaysThatBlursAreComputedWithWhatIsInFrontOfThem) {
  GeneratorOptions options = generator_options("resnet_2blocks", "instance");
  options.ngf = 32;
  options.downsample = options.upsample = "blur";
  const auto network = initialised(make_generator(options));
  const at::NoGradGuard no_grad;
  with(*network, Engine::check, x_);
  std::vector<std::string> layers;
  for (const LayerPath& path : seen_paths(*network)) {
    layers.push_back(path.layers);
    EXPECT_EQ(path.by_kernel, path.layers != "24: Tanh") << path.layers;
    EXPECT_LT(path.worst.value_or(0), 1e-5) << path.layers;
  }
  EXPECT_EQ(layers,
            (std::vector<std::string>{
                "0 to 1: ReflectionPad, Conv", "2 to 4: InstanceNorm, Relu, Conv",
                "5 to 7: InstanceNorm, Relu, BlurDown", "8: Conv", "9 to 11: InstanceNorm, Relu, BlurDown",
                "12 to 13: ResnetBlock x 2", "14: BlurUp", "15: Conv", "16 to 18: InstanceNorm, Relu, BlurUp",
                "19: Conv", "20 to 23: InstanceNorm, Relu, ReflectionPad, Conv", "24: Tanh"}));
}

TEST_F(Engines, AWatchedNetworkNotesItsPathsWithoutComparing) {
  const auto network = generator_of("resnet_2blocks", "instance", 32);
  const at::NoGradGuard no_grad;
  ASSERT_TRUE(watch_engine(*network));
  with(*network, Engine::automatic, x_);
  const std::vector<LayerPath> paths = seen_paths(*network);
  ASSERT_EQ(paths.size(), 9U);
  for (const LayerPath& path : paths) {
    EXPECT_EQ(path.by_kernel, path.layers != "20: Tanh") << path.layers;
    EXPECT_FALSE(path.worst) << path.layers;
  }
  EXPECT_FALSE(watch_engine(*generator_of("unet_128", "instance", 8)));
}

TEST(EngineLog, KeepsTheWorst) {
  EngineLog log;
  log.add(3, {"3", false, {}});
  log.add(3, {"3 to 4", true, 1e-6});
  log.add(3, {"3 to 4", true, 3e-6});
  log.add(3, {"3 to 4", true, 2e-6});
  log.add(0, {"0", false, {}});
  log.add(3, {"3", false, {}});
  ASSERT_EQ(log.paths().size(), 2);
  EXPECT_EQ(log.paths()[0].layers, "0");
  EXPECT_EQ(log.paths()[1].layers, "3 to 4");
  EXPECT_EQ(log.paths()[1].worst, 3e-6);
  log.add(3, {"3 to 4", true, NAN});
  log.add(3, {"3 to 4", true, 1});
  EXPECT_TRUE(std::isnan(*log.paths()[1].worst));
}

TEST(EngineNames, AreChecked) {
  EXPECT_EQ(engine_named("auto"), Engine::automatic);
  EXPECT_EQ(engine_named("torch"), Engine::torch);
  EXPECT_EQ(engine_named("fast"), Engine::fast);
  EXPECT_THROW(engine_named("faster"), UsageError);
}

}  // namespace
}  // namespace torsor::testing
