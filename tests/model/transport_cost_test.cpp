// Transport costs in CycleGAN's objective: the options, what a step minimises, what it remembers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/cures_test_support.h"
#include "model/cyclegan_settings.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Generators whose residuals are free.
CycleGanSpec charged(const std::string& cost, double weight) {
  CycleGanSpec spec = tiny_spec();
  for (GeneratorOptions* g : {&spec.g_a_to_b, &spec.g_b_to_a}) {
    g->net_g = "resnet_2blocks";
    g->norm = "instance_affine";
  }
  spec.cyclegan.transport.transport_cost = cost;
  spec.cyclegan.transport.lambda_transport = weight;
  spec.cyclegan.lambda_identity = 0;  // fewer passes
  return spec;
}

CycleGanSpec charged_by_features(const TestFolder& folder, double weight) {
  CycleGanSpec spec = charged(kFeatureCost, weight);
  spec.transport_encoder = std::make_shared<ContentEncoder>(write_classifier(folder, 1));
  spec.cyclegan.transport.transport_encoder = "classifier";
  spec.cyclegan.transport.transport_hash = spec.transport_encoder->hash();
  return spec;
}

// --- the options ---

std::string refusal(const std::function<void(TransportCostOptions&)>& set,
                    const GeneratorOptions& generator = {}) {
  TransportCostOptions o;
  o.lambda_transport = 1;
  set(o);
  return error_of<UsageError>([&] {
    o.validate();
    require_transport_cost(o, generator);
  });
}

TEST(TransportCost, IsRefusedWhereItSaysNothing) {
  const auto by_blocks = [](TransportCostOptions& o) { o.transport_cost = kBlockCost; };
  GeneratorOptions g;
  EXPECT_THAT(refusal(by_blocks, g), AllOf(HasSubstr("--norm instance"), HasSubstr("resnet_9blocks"),
                                           HasSubstr("--norm instance_affine")));
  g.net_g = "unet_128";
  EXPECT_THAT(refusal(by_blocks, g), AllOf(HasSubstr("unet_128"), HasSubstr("no residual blocks")));
  g = {};
  g.out_channels = 1;
  EXPECT_THAT(refusal([](TransportCostOptions&) {}, g), AllOf(HasSubstr("3 and 1"), HasSubstr("pixel")));
  EXPECT_THAT(refusal([](TransportCostOptions& o) { o.transport_cost = kFeatureCost; }),
              HasSubstr("--transport-encoder FILE"));
  EXPECT_THAT(refusal([](TransportCostOptions& o) { o.transport_encoder = o.transport_hash = "x"; }),
              HasSubstr("--transport-encoder does nothing"));
  EXPECT_THAT(refusal([](TransportCostOptions& o) {
                o.transport_cost = kFeatureCost;
                o.transport_encoder = "x";
              }),
              HasSubstr("--init-from"));
}

TEST(TransportCost, IsFreeOfConditionsWhereItIsOff) {
  CycleGanSettings settings;
  settings.cyclegan.transport.transport_cost = kBlockCost;
  EXPECT_NO_THROW(settings.validate({3, 1}));
  settings.cyclegan.transport.lambda_transport = 1;
  EXPECT_THAT(error_of<UsageError>([&] { settings.validate({3, 1}); }), HasSubstr("--transport-cost blocks"));
}

TEST(TransportCost, OfOtherFeaturesThanTheRunBeganWithIsRefused) {
  const TestFolder folder;
  CycleGanSettings settings;
  settings.nets.generator.net_g = "resnet_1blocks";
  settings.nets.generator.ngf = settings.nets.discriminator.ndf = 2;
  settings.cyclegan.transport.lambda_transport = 1;
  settings.cyclegan.transport.transport_cost = kFeatureCost;
  settings.cyclegan.transport.transport_encoder = write_classifier(folder, 3).string();
  settings.read_files();
  EXPECT_NO_THROW(settings.make({3, 3}, {}, cpu(), 1));
  EXPECT_THAT(error_of<UsageError>([&] {
                settings.make({3, 5}, {}, cpu(), 1);
              }),
              HasSubstr("--transport-encoder"));
  write_classifier(folder, 3, 5);
  EXPECT_THAT(error_of<UsageError>([&] { settings.make({3, 3}, {}, cpu(), 1); }), HasSubstr("other weights"));
}

// --- the step ---

/// What the first step has to report, by the images and residuals of the untrained generators.
struct FirstStep {
  explicit FirstStep(const CycleGanSpec& spec) : rig(spec, cpu(at::kDouble)) {
    rig.batches.batch_size = 2;
    const Batch batch = rig.batches.at_index(0);
    const at::NoGradGuard no_grad;
    for (const auto& [name, real] : {std::pair{"g_a_to_b", "real_a"}, std::pair{"g_b_to_a", "real_b"}}) {
      Made of;
      of.real = batch.at(real).to(at::kDouble);
      auto& generator = dynamic_cast<Generator&>(*network(rig.model, name));
      of.fake = generator.forward_with_residuals(of.real, of.residuals);
      made.push_back(of);
    }
  }
  struct Made {
    at::Tensor real, fake;
    std::vector<at::Tensor> residuals;
  };
  Rig rig;
  std::vector<Made> made;
};

TEST(ChargedStep, ReportsTheCostOfPixels) {
  FirstStep first(charged(kPixelCost, 3));
  const StepReport r = first.rig.step();
  EXPECT_NEAR(r.loss("transport_a"), 3 * mean_square(first.made[0].fake, first.made[0].real), kTolerance);
  EXPECT_NEAR(r.loss("transport_b"), 3 * mean_square(first.made[1].fake, first.made[1].real), kTolerance);
}

TEST(ChargedStep, ReportsTheCostOfFeatures) {
  const TestFolder folder;
  const CycleGanSpec spec = charged_by_features(folder, 3);
  FirstStep first(spec);
  const StepReport r = first.rig.step();
  for (const auto& [name, i] : {std::pair{"transport_a", 0U}, std::pair{"transport_b", 1U}}) {
    const at::Tensor of_fake = (*spec.transport_encoder)(first.made[i].fake),
                     of_real = (*spec.transport_encoder)(first.made[i].real);
    EXPECT_GT(mean_square(of_fake, of_real), 0);
    EXPECT_NEAR(r.loss(name), 3 * mean_square(of_fake, of_real), 1e-6) << name;
  }
}

TEST(ChargedStep, ReportsTheCostOfBlocks) {
  FirstStep first(charged(kBlockCost, 3));
  const StepReport r = first.rig.step();
  for (const auto& [name, i] : {std::pair{"transport_a", 0U}, std::pair{"transport_b", 1U}}) {
    ASSERT_EQ(first.made[i].residuals.size(), 2U);
    const double squares =
        mean_square(first.made[i].residuals[0], 0) + mean_square(first.made[i].residuals[1], 0);
    EXPECT_NEAR(r.loss(name), 3 * 2 * squares, kTolerance) << name;
  }
}

Weights trained(const CycleGanSpec& spec, int steps = 2) {
  Rig rig(spec);
  for (int i = 0; i < steps; ++i) rig.step();
  return weights_of(rig.model);
}

TEST(ChargedStep, OffIsOffToTheBit) {
  CycleGanSpec plain = charged(kPixelCost, 0);
  plain.cyclegan.transport = {};
  EXPECT_EQ(first_difference(trained(plain), trained(charged(kBlockCost, 0))), "");
}

TEST(ChargedStep, OnlyGeneratorsLearnFromIt) {
  const TestFolder folder;
  const auto gradients = [](const CycleGanSpec& spec) {
    Rig rig(spec);
    Spy spy(rig.model);
    rig.step(spy);
    return spy.gradients;
  };
  const auto without = gradients(charged(kPixelCost, 0));
  for (const CycleGanSpec& spec :
       {charged(kPixelCost, 1), charged(kBlockCost, 1), charged_by_features(folder, 1)}) {
    const auto with = gradients(spec);
    const std::string& cost = spec.cyclegan.transport.transport_cost;
    EXPECT_EQ(first_difference(only(with.at("opt_d"), "d_"), only(without.at("opt_d"), "d_")), "") << cost;
    for (const char* generator : {"g_a_to_b", "g_b_to_a"})
      EXPECT_NE(first_difference(only(with.at("opt_g"), generator), only(without.at("opt_g"), generator)), "")
          << cost << generator;
  }
}

// A gradient of the wrong sign or in the wrong place would not do this.
TEST(ChargedStep, ItIsLearnt) {
  const TestFolder folder;
  for (CycleGanSpec spec : {charged(kPixelCost, 1), charged(kBlockCost, 1), charged_by_features(folder, 1)}) {
    spec.cyclegan.lambda_gan = 0;
    spec.cyclegan.lambda_cycle_a = spec.cyclegan.lambda_cycle_b = 1e-9;
    spec.optimizer.lr = 2e-3;
    Rig rig(spec);
    const auto cost = [&] {
      rig.batches.next_index = 0;
      const StepReport report = rig.step();
      return report.loss("transport_a") + report.loss("transport_b");
    };
    const double first = cost();
    for (int step = 0; step < 14; ++step) cost();
    EXPECT_LT(cost(), 0.95 * first) << spec.cyclegan.transport.transport_cost;
  }
}

TEST(ChargedStep, ContinuesFromAFile) {
  for (const char* cost : {kPixelCost, kBlockCost}) {
    CycleGanSpec spec = charged(cost, 0.5);
    spec.cyclegan.pool_size = 2;
    Rig whole(spec), rest(spec, cpu(), 2);
    expect_continues_from_a_file(whole, rest);
  }
}

TEST(ChargedStep, JointAndGroupedAgree) {
  const auto outcome = [](const std::string& backward) {
    CycleGanSpec spec = charged(kBlockCost, 0.5);
    spec.cyclegan.backward = backward;
    spec.optimizer.optimizer = "sgd";
    spec.optimizer.lr = 1e-3;
    Rig rig(spec, cpu(at::kDouble));
    rig.batches.batch_size = 2;
    for (int step = 0; step < 3; ++step) rig.step();
    return weights_of(rig.model);
  };
  const Weights joint = outcome("joint"), grouped = outcome("grouped");
  for (const auto& [name, right] : joint)
    EXPECT_LE((grouped.at(name) - right).abs().max().item<double>(), 1e-12) << name;
}

}  // namespace
}  // namespace torsor::testing
