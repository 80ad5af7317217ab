// The pix2pix step: its losses against their formulas, what each update touches and in which order, both
// directions, what it remembers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/model_test_support.h"
#include "model/pix2pix.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A has 3 channels and B 2, so that no mix-up of the domains passes unnoticed.
Pix2PixSpec tiny_pairs(const std::string& direction = "a_to_b") {
  Pix2PixSpec spec;
  spec.pix2pix.direction = direction;
  spec.gan.gan_mode = "lsgan";
  spec.generator.net_g = "resnet_1blocks";
  spec.generator.ngf = spec.discriminator.ndf = 4;
  spec.generator.in_channels = direction == "a_to_b" ? 3 : 2;
  spec.generator.out_channels = direction == "a_to_b" ? 2 : 3;
  spec.discriminator.net_d = "n_layers";
  spec.discriminator.n_layers_d = 1;
  spec.discriminator.in_channels = 5;
  spec.init = {"kaiming", 1};
  return spec;
}

struct PairRig : RigOf<Pix2Pix> {
  explicit PairRig(const Pix2PixSpec& spec, const Placement& placement = cpu(), std::uint64_t seed = 1)
      : RigOf(spec, placement, seed) {
    batches.channels_b = 2;
    batches.batch_size = 2;
  }
  Network& generator() { return *network(model, model.spec().pix2pix.generator_name()); }
  Network& discriminator() { return *network(model, "d_ab"); }
  at::Tensor real(const char* name, std::int64_t step = 0) const {
    return batches.at_index(step).at(name).to(at::kDouble);
  }
};

class Directions : public ::testing::TestWithParam<std::string> {
 protected:
  bool from_a() const { return GetParam() == "a_to_b"; }
  const char* input_name() const { return from_a() ? "real_a" : "real_b"; }
  const char* target_name() const { return from_a() ? "real_b" : "real_a"; }
};
INSTANTIATE_TEST_SUITE_P(Pix2Pix, Directions, ::testing::Values("a_to_b", "b_to_a"),
                         [](const auto& test) { return test.param; });

TEST_P(Directions, NamesOfNetworksAndLossesFollow) {
  PairRig rig(tiny_pairs(GetParam()));
  const StepReport report = rig.step();
  std::vector<std::string> names;
  for (const auto& [name, value] : report.losses) {
    names.push_back(name);
    EXPECT_GT(value, 0) << name;
  }
  EXPECT_THAT(names, ElementsAre("g_" + GetParam(), "l1", "d_real", "d_fake"));
  EXPECT_EQ(names, rig.model.loss_names());
  EXPECT_EQ(rig.model.networks()[0].name, "g_" + GetParam());
  EXPECT_EQ(rig.model.networks()[1].name, "d_ab");
  EXPECT_EQ(report.images, 2);
  EXPECT_EQ(report.batches, 1);
  EXPECT_THAT(report.items, ElementsAre("a0", "b0"));
}

TEST_P(Directions, FirstLossesAreTheirFormulas) {
  Pix2PixSpec spec = tiny_pairs(GetParam());
  spec.pix2pix.lambda_l1 = 3;
  spec.pix2pix.lambda_gan = 2;
  PairRig rig(spec, cpu(at::kDouble));
  const at::Tensor input = rig.real(input_name()), target = rig.real(target_name());
  const at::NoGradGuard no_grad;
  const at::Tensor fake = rig.generator().forward(input);
  const auto score = [&](const at::Tensor& first, const at::Tensor& second) {
    return rig.discriminator().forward(at::cat({first, second}, 1));
  };
  const at::Tensor of_real = score(input, target), of_fake = score(input, fake);
  const at::Tensor turned_round = score(target, input);
  at::AutoGradMode with_grad(true);
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("d_real"), mean_square(of_real, 1), kTolerance);
  EXPECT_NEAR(r.loss("d_fake"), mean_square(of_fake, 0), kTolerance);
  EXPECT_GT(std::abs(r.loss("d_real") - mean_square(turned_round, 1)), 1e-3) << "the input comes first";
  EXPECT_NEAR(r.loss("l1"), 3 * mean_absolute(fake, target), kTolerance);
  // The generator's loss sees the discriminator after its step, and the image from before.
  EXPECT_NEAR(r.loss("g_" + GetParam()), 2 * mean_square(score(input, fake), 1), kTolerance);
  EXPECT_GT(std::abs(r.loss("g_" + GetParam()) - 2 * mean_square(of_fake, 1)), 1e-6);
}

TEST_P(Directions, ASampleIsOneRowAndLeavesTheModelAlone) {
  Pix2PixSpec spec = tiny_pairs(GetParam());
  spec.generator.norm = spec.discriminator.norm = "batch";
  spec.generator.dropout = true;
  PairRig rig(spec);
  rig.step();
  const Weights before = weights_of(rig.model);
  const Json streams = rig.rng.save();
  const Batch shown = rig.batches.at_index(7);
  const auto once = rig.model.sample(shown), twice = rig.model.sample(shown);
  ASSERT_EQ(once.size(), 1u);
  ASSERT_EQ(once[0].size(), 3u);
  EXPECT_EQ(once[0][0].label, input_name());
  EXPECT_EQ(once[0][1].label, from_a() ? "fake_b" : "fake_a");
  EXPECT_EQ(once[0][2].label, target_name());
  EXPECT_TRUE(at::equal(once[0][0].images, shown.at(input_name())));
  EXPECT_TRUE(at::equal(once[0][2].images, shown.at(target_name())));
  EXPECT_TRUE(at::equal(once[0][1].images, twice[0][1].images)) << "dropout is off";
  EXPECT_EQ(first_difference(before, weights_of(rig.model)), "");
  EXPECT_EQ(streams, rig.rng.save());
  for (const auto& [name, network] : rig.model.networks()) EXPECT_TRUE(network->is_training()) << name;
  rig.generator().eval();
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(rig.generator().forward(shown.at(input_name())), once[0][1].images))
      << "running statistics, as translate takes them";
}

TEST(Pix2PixStep, VanillaIsTheDefault) {
  Pix2PixSpec spec = tiny_pairs();
  spec.gan = Pix2PixSpec().gan;
  PairRig rig(spec, cpu(at::kDouble));
  const at::Tensor input = rig.real("real_a"), target = rig.real("real_b");
  double expected = 0;
  {
    const at::NoGradGuard no_grad;
    const at::Tensor scores = rig.discriminator().forward(at::cat({input, target}, 1));
    expected = mean_of(scores, scores, [](double s, double) { return std::log1p(std::exp(-s)); });
  }
  EXPECT_NEAR(rig.step().loss("d_real"), expected, kTolerance);
}

TEST(Pix2PixStep, TheDiscriminatorStepsFirstOnHalfTheSum) {
  PairRig rig(tiny_pairs(), cpu(at::kDouble)), twin(tiny_pairs(), cpu(at::kDouble));
  Spy spy(rig.model);
  rig.step(spy);
  EXPECT_THAT(spy.order, ElementsAre("opt_d", "opt_g"));
  EXPECT_TRUE(only(spy.gradients["opt_d"], "g_").empty()) << "its loss does not reach the generator";

  const at::Tensor input = twin.real("real_a"), target = twin.real("real_b");
  const at::Tensor fake = twin.generator().forward(input);
  Network& d = twin.discriminator();
  const at::Tensor of_real = d.forward(at::cat({input, target}, 1)),
                   of_fake = d.forward(at::cat({input, fake.detach()}, 1));
  (0.5 * ((of_real - 1).pow(2).mean() + of_fake.pow(2).mean())).backward();
  for (const auto& parameter : d.named_parameters()) {
    const std::string key = "d_ab " + parameter.key();
    EXPECT_TRUE(at::allclose(spy.gradients["opt_d"].at(key), parameter.value().grad(), 1e-9, 1e-12)) << key;
  }

  // The generator learns through the stepped discriminator, which itself takes no gradient meanwhile.
  load_state_dict(d, state_dict(rig.discriminator()), "stepped");
  ((d.forward(at::cat({input, fake}, 1)) - 1).pow(2).mean() + 100 * (fake - target).abs().mean()).backward();
  for (const auto& parameter : twin.generator().named_parameters()) {
    const std::string key = "g_a_to_b " + parameter.key();
    EXPECT_TRUE(at::allclose(spy.gradients["opt_g"].at(key), parameter.value().grad(), 1e-9, 1e-12)) << key;
  }
  EXPECT_EQ(first_difference(spy.gradients["opt_d"], only(spy.gradients["opt_g"], "d_")), "");
}

TEST(Pix2PixStep, RunningStatisticsMoveThreeTimesInTheDiscriminatorAndOnceInTheGenerator) {
  Pix2PixSpec spec = tiny_pairs();
  spec.generator.norm = spec.discriminator.norm = "batch";
  PairRig rig(spec);
  int seen = 0;
  for (std::int64_t step = 1; step <= 3; ++step) {
    rig.step();
    for (const auto& [name, tensor] : weights_of(rig.model)) {
      if (!name.ends_with("num_batches_tracked")) continue;
      EXPECT_EQ(tensor.item<std::int64_t>(), name.starts_with("d_") ? 3 * step : step) << name;
      ++seen;
    }
  }
  EXPECT_GT(seen, 6);
}

// Fake, real, and fake again in the generator's turn: a discriminator that does not move shows the order.
TEST(Pix2PixStep, RunningStatisticsAreThoseOfFakeRealAndFake) {
  Pix2PixSpec spec = tiny_pairs();
  spec.discriminator.norm = "batch";
  spec.optimizer.lr_d = 1e-300;
  PairRig rig(spec, cpu(at::kDouble)), twin(spec, cpu(at::kDouble));
  rig.step();
  const at::NoGradGuard no_grad;
  const at::Tensor input = twin.real("real_a");
  const at::Tensor fake = at::cat({input, twin.generator().forward(input)}, 1),
                   real = at::cat({input, twin.real("real_b")}, 1);
  for (const at::Tensor& pair : {fake, real, fake}) twin.discriminator().forward(pair);
  const Weights expected = only(weights_of(twin.model), "d_ab"), got = only(weights_of(rig.model), "d_ab");
  for (const auto& [name, tensor] : expected)
    EXPECT_TRUE(at::allclose(got.at(name), tensor, 1e-12, 1e-14)) << name;
}

// One pass of the generator, hence one set of masks, serves both updates.
TEST(Pix2PixStep, DropoutDrawsOncePerStep) {
  Pix2PixSpec spec = tiny_pairs();
  spec.generator.dropout = true;
  PairRig rig(spec, cpu(at::kDouble)), twin(spec, cpu(at::kDouble));
  at::Tensor fake, again, of_fake;
  {
    const at::NoGradGuard no_grad;
    fake = twin.generator().forward(twin.real("real_a"));
    of_fake = twin.discriminator().forward(at::cat({twin.real("real_a"), fake}, 1));
    again = twin.generator().forward(twin.real("real_a"));
  }
  ASSERT_FALSE(at::equal(fake, again)) << "no dropout at work";
  const StepReport first = rig.step();
  EXPECT_NEAR(first.loss("d_fake"), mean_square(of_fake, 0), kTolerance);
  EXPECT_NEAR(first.loss("l1"), 100 * mean_absolute(fake, twin.real("real_b")), kTolerance);
  // The second draw of the twin's generator is the first of the next step.
  {
    const at::NoGradGuard no_grad;
    PairRig later(spec, cpu(at::kDouble));
    later.generator().forward(later.real("real_a"));
    load_state_dict(later.generator(), state_dict(rig.generator()), "stepped");
    fake = later.generator().forward(rig.real("real_a", 1));
  }
  EXPECT_NEAR(rig.step().loss("l1"), 100 * mean_absolute(fake, rig.real("real_b", 1)), kTolerance);
}

TEST(Pix2PixStep, WithoutAdversaryItsDiscriminatorRests) {
  Pix2PixSpec spec = tiny_pairs();
  spec.pix2pix.lambda_gan = 0;
  PairRig rig(spec);
  const Weights before = weights_of(rig.model);
  const StepReport report = rig.step();
  for (const char* name : {"g_a_to_b", "d_real", "d_fake"}) EXPECT_EQ(report.loss(name), 0) << name;
  EXPECT_GT(report.loss("l1"), 0);
  EXPECT_EQ(first_difference(before, weights_of(rig.model), "d_ab"), "");
  EXPECT_NE(first_difference(before, weights_of(rig.model), "g_a_to_b"), "");
}

TEST(Pix2PixStep, WithoutL1TheAdversaryTeachesAlone) {
  Pix2PixSpec spec = tiny_pairs();
  spec.pix2pix.lambda_l1 = 0;
  PairRig rig(spec);
  const Weights before = weights_of(rig.model);
  const StepReport report = rig.step();
  EXPECT_EQ(report.loss("l1"), 0);
  EXPECT_GT(report.loss("g_a_to_b"), 0);
  EXPECT_NE(first_difference(before, weights_of(rig.model), "g_a_to_b"), "");
}

TEST(Pix2PixStep, WhatCannotBeTrainedIsRefused) {
  Pix2PixSpec nothing = tiny_pairs();
  nothing.pix2pix.lambda_gan = nothing.pix2pix.lambda_l1 = 0;
  EXPECT_THAT(error_of<UsageError>([&] { PairRig rig(nothing); }),
              AllOf(HasSubstr("--lambda-l1"), HasSubstr("nothing would be learnt")));
  Pix2PixSpec alone = tiny_pairs();
  alone.discriminator.in_channels = 2;
  EXPECT_THAT(error_of<UsageError>([&] { PairRig rig(alone); }),
              AllOf(HasSubstr("takes 2 channels"), HasSubstr("have 5 together")));
}

TEST(Pix2PixStep, ThePenaltyIsPartOfTheCriticsLossOnly) {
  Pix2PixSpec spec = tiny_pairs();
  spec.gan.gan_mode = "wgangp";
  // The discriminator's gradients at its first step, and the losses.
  const auto first = [&](double weight) {
    spec.gan.gp_weight = weight;
    PairRig rig(spec, cpu(at::kDouble));
    Spy spy(rig.model);
    const StepReport report = rig.step(spy);
    return std::pair(report, spy.gradients["opt_d"]);
  };
  const auto [none, without] = first(0);
  const auto [one, with_one] = first(1);
  const auto [ten, with_ten] = first(10);
  EXPECT_THAT(error_of<UsageError>([&, &report = none] { report.loss("gradient_penalty"); }),
              HasSubstr("d_fake"));
  EXPECT_GT(one.loss("gradient_penalty"), 0);
  EXPECT_NEAR(ten.loss("gradient_penalty"), 10 * one.loss("gradient_penalty"), 1e-10);
  EXPECT_EQ(one.loss("d_real"), none.loss("d_real"));
  EXPECT_EQ(one.loss("d_fake"), none.loss("d_fake"));
  for (const auto& [name, gradient] : without) {
    const at::Tensor of_penalty = with_one.at(name) - gradient;
    EXPECT_TRUE(at::allclose(with_ten.at(name), gradient + 10 * of_penalty, 1e-8, 1e-10)) << name;
  }
  EXPECT_NE(first_difference(without, with_one), "");
}

struct PairContinuation {
  std::string name;
  std::function<void(Pix2PixSpec&)> set;
  Placement placement = cpu();
};
void PrintTo(const PairContinuation& c, std::ostream* out) { *out << c.name; }

class PairContinuations : public ::testing::TestWithParam<PairContinuation> {};

TEST_P(PairContinuations, TwoStepsAndTwoStepsAreFour) {
  Pix2PixSpec spec = tiny_pairs();
  GetParam().set(spec);
  PairRig whole(spec, GetParam().placement, /*seed=*/1), rest(spec, GetParam().placement, /*seed=*/99);
  expect_continues_from_a_file(whole, rest);
}

INSTANTIATE_TEST_SUITE_P(Pix2Pix, PairContinuations,
                         ::testing::Values(PairContinuation{"adam", [](Pix2PixSpec&) {}},
                                           PairContinuation{"dropout_and_batch_norm",
                                                            [](Pix2PixSpec& s) {
                                                              s.generator.dropout = true;
                                                              s.generator.norm = s.discriminator.norm =
                                                                  "batch";
                                                            }},
                                           PairContinuation{
                                               "wgangp", [](Pix2PixSpec& s) { s.gan.gan_mode = "wgangp"; }},
                                           PairContinuation{"fp64", [](Pix2PixSpec&) {}, cpu(at::kDouble)}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace torsor::testing
