// The CycleGAN step: its losses against their formulas, and what each update touches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/model_test_support.h"
#include "nn/blocks.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What the networks of a model make of batch 0, without touching the model.
struct Made {
  explicit Made(const Rig& rig) {
    const Batch batch = rig.batches.at_index(0);
    real_a = batch.at("real_a").to(at::kDouble);
    real_b = batch.at("real_b").to(at::kDouble);
    at::NoGradGuard no_grad;
    const auto g_ab = network(rig.model, "g_a_to_b"), g_ba = network(rig.model, "g_b_to_a");
    const auto d_a = network(rig.model, "d_a"), d_b = network(rig.model, "d_b");
    fake_b = g_ab->forward(real_a);
    fake_a = g_ba->forward(real_b);
    rec_a = g_ba->forward(fake_b);
    rec_b = g_ab->forward(fake_a);
    score_real_a = d_a->forward(real_a);
    score_real_b = d_b->forward(real_b);
    score_fake_a = d_a->forward(fake_a);
    score_fake_b = d_b->forward(fake_b);
  }
  at::Tensor real_a, real_b, fake_a, fake_b, rec_a, rec_b;
  at::Tensor score_real_a, score_real_b, score_fake_a, score_fake_b;
};

TEST(CycleGanStep, NamesItsLossesInOrderAndTellsWhatItConsumed) {
  Rig rig(tiny_spec());
  rig.batches.batch_size = 2;
  const StepReport report = rig.step();
  std::vector<std::string> names;
  for (const auto& [name, value] : report.losses) {
    names.push_back(name);
    EXPECT_TRUE(std::isfinite(value)) << name;
    EXPECT_GT(value, 0) << name;
  }
  EXPECT_THAT(names,
              ElementsAre("d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b"));
  EXPECT_EQ(names, rig.model.loss_names());
  EXPECT_EQ(report.images, 2);
  EXPECT_EQ(report.batches, 1);
  EXPECT_THAT(report.items, ElementsAre("a0", "b0"));
  EXPECT_EQ(report.loss("cycle_b"), report.losses[5].second);
  EXPECT_THAT(error_of<UsageError>([&] { report.loss("cicle_b"); }),
              AllOf(HasSubstr("cicle_b"), HasSubstr("did you mean 'cycle_b'"), HasSubstr("idt_a")));
}

TEST(CycleGanStep, FirstLossesAreTheirFormulas) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.lambda_cycle_a = 3;
  spec.cyclegan.lambda_cycle_b = 7;
  spec.cyclegan.lambda_gan = 2;
  spec.cyclegan.lambda_identity = 0.25;
  Rig rig(spec, cpu(at::kDouble));
  rig.batches.batch_size = 2;
  const Made p(rig);
  at::Tensor same_b, same_a;
  {
    at::NoGradGuard no_grad;
    same_b = network(rig.model, "g_a_to_b")->forward(p.real_b);
    same_a = network(rig.model, "g_b_to_a")->forward(p.real_a);
  }
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("g_a_to_b"), 2 * mean_square(p.score_fake_b, 1), kTolerance);
  EXPECT_NEAR(r.loss("g_b_to_a"), 2 * mean_square(p.score_fake_a, 1), kTolerance);
  EXPECT_NEAR(r.loss("cycle_a"), 3 * mean_absolute(p.rec_a, p.real_a), kTolerance);
  EXPECT_NEAR(r.loss("cycle_b"), 7 * mean_absolute(p.rec_b, p.real_b), kTolerance);
  // Target mode: G_A->B is fed B, weighed relative to the cycle of B (reference.md, section 2, step 3).
  EXPECT_NEAR(r.loss("idt_a"), 7 * 0.25 * mean_absolute(same_b, p.real_b), kTolerance);
  EXPECT_NEAR(r.loss("idt_b"), 3 * 0.25 * mean_absolute(same_a, p.real_a), kTolerance);
  // The discriminators' losses are halved, and see fakes from before the generators' step.
  EXPECT_NEAR(r.loss("d_b"), 2 * 0.5 * (mean_square(p.score_real_b, 1) + mean_square(p.score_fake_b, 0)),
              kTolerance);
  EXPECT_NEAR(r.loss("d_a"), 2 * 0.5 * (mean_square(p.score_real_a, 1) + mean_square(p.score_fake_a, 0)),
              kTolerance);
}

TEST(CycleGanStep, AlphaIdFeedsEachGeneratorItsOwnDomainAndWeighsAbsolutely) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.alpha_id = 5;
  spec.cyclegan.lambda_cycle_b = 0.5;
  Rig rig(spec, cpu(at::kDouble));
  const Made p(rig);
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("idt_a"), 5 * mean_absolute(p.fake_b, p.real_a), kTolerance);
  EXPECT_NEAR(r.loss("idt_b"), 5 * mean_absolute(p.fake_a, p.real_b), kTolerance);
}

TEST(CycleGanStep, NormL2SquaresCycleAndIdentity) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.alpha_id = 5;
  spec.cyclegan.cycle_norm = "l2";
  Rig rig(spec, cpu(at::kDouble));
  const Made p(rig);
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("cycle_a"), 10 * mean_square(p.rec_a, p.real_a), kTolerance);
  EXPECT_NEAR(r.loss("cycle_b"), 10 * mean_square(p.rec_b, p.real_b), kTolerance);
  EXPECT_NEAR(r.loss("idt_a"), 5 * mean_square(p.fake_b, p.real_a), kTolerance);
}

TEST(CycleGanStep, DirectionsHaveAdversarialWeightsOfTheirOwn) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.lambda_gan_a = 3;
  spec.cyclegan.lambda_gan_b = 0.5;
  spec.cyclegan.lambda_d_b = 7;
  Rig rig(spec, cpu(at::kDouble));
  const Made p(rig);
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("g_a_to_b"), 3 * mean_square(p.score_fake_b, 1), kTolerance);
  EXPECT_NEAR(r.loss("g_b_to_a"), 0.5 * mean_square(p.score_fake_a, 1), kTolerance);
  EXPECT_NEAR(r.loss("d_a"), 0.5 * 0.5 * (mean_square(p.score_real_a, 1) + mean_square(p.score_fake_a, 0)),
              kTolerance);
  EXPECT_NEAR(r.loss("d_b"), 7 * 0.5 * (mean_square(p.score_real_b, 1) + mean_square(p.score_fake_b, 0)),
              kTolerance);
}

// S0-Q4: the discriminators score reconstructions as well as translations, and learn to tell both.
TEST(CycleGanStep, AnAdversarialCycleIsJudgedByTheDomainsDiscriminator) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.lambda_gan_cycle = 3;
  Rig rig(spec, cpu(at::kDouble));
  const Made p(rig);
  const at::Tensor score_rec_a = network(rig.model, "d_a")->forward(p.rec_a),
                   score_rec_b = network(rig.model, "d_b")->forward(p.rec_b);
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("gan_cycle_a"), 3 * mean_square(score_rec_a, 1), kTolerance);
  EXPECT_NEAR(r.loss("gan_cycle_b"), 3 * mean_square(score_rec_b, 1), kTolerance);
  const double real = mean_square(p.score_real_a, 1);
  EXPECT_NEAR(r.loss("d_a"),
              0.5 * (real + mean_square(p.score_fake_a, 0)) + 3 * 0.5 * (real + mean_square(score_rec_a, 0)),
              kTolerance);
}

TEST(CycleGanStep, FeaturesAreWhatTheLastLayerOfTheDiscriminatorSees) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.lambda_feature_cycle = 3;
  spec.cyclegan.lambda_feature_identity = 5;
  Rig rig(spec, cpu(at::kDouble));
  const Made p(rig);
  const auto of = [&](const char* discriminator, const at::Tensor& x) {
    const auto list = network(rig.model, discriminator)->named_children()["model"];
    const auto& layers = dynamic_cast<const LayerList&>(*list).layers();
    at::Tensor y = x;
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) y = layers[i]->forward(y);
    EXPECT_TRUE(at::equal(layers.back()->forward(y), network(rig.model, discriminator)->forward(x)));
    return y;
  };
  const at::Tensor same_b = network(rig.model, "g_a_to_b")->forward(p.real_b);
  const double cycle_a = 3 * mean_absolute(of("d_a", p.rec_a), of("d_a", p.real_a)),
               cycle_b = 3 * mean_absolute(of("d_b", p.rec_b), of("d_b", p.real_b)),
               identity = 5 * mean_absolute(of("d_b", same_b), of("d_b", p.real_b));
  Spy spy(rig.model);
  const StepReport r = rig.step(spy);
  EXPECT_NEAR(r.loss("feature_cycle_a"), cycle_a, kTolerance);
  EXPECT_NEAR(r.loss("feature_cycle_b"), cycle_b, kTolerance);
  EXPECT_NEAR(r.loss("feature_idt_a"), identity, kTolerance);
  // The generators learn from them; the discriminators' own loss is as it was.
  EXPECT_EQ(r.loss("d_a"), Rig(tiny_spec(), cpu(at::kDouble)).step().loss("d_a"));
  EXPECT_TRUE(only(spy.gradients["opt_g"], "d_").empty());
}

TEST(CycleGanStep, DiscriminatorsLearnFromTheHalvedLossAlone) {
  Rig rig(tiny_spec(), cpu(at::kDouble)), twin(tiny_spec(), cpu(at::kDouble));
  Spy spy(rig.model);
  rig.step(spy);
  const Made p(twin);
  for (const char* name : {"d_a", "d_b"}) {
    const bool is_a = std::string(name) == "d_a";
    const auto discriminator = network(twin.model, name);
    const at::Tensor real = discriminator->forward(is_a ? p.real_a : p.real_b),
                     fake = discriminator->forward(is_a ? p.fake_a : p.fake_b);
    const at::Tensor loss = 0.5 * ((real - 1).pow(2).mean() + fake.pow(2).mean());
    loss.backward();
    for (const auto& parameter : discriminator->named_parameters()) {
      const std::string key = std::string(name) + " " + parameter.key();
      EXPECT_TRUE(at::allclose(spy.gradients["opt_d"].at(key), parameter.value().grad(), 1e-9, 1e-12)) << key;
    }
  }
}

TEST(CycleGanStep, FreezesTheDiscriminatorsWhileTheGeneratorsLearn) {
  Rig rig(tiny_spec());
  Spy spy(rig.model);
  rig.step(spy);
  EXPECT_THAT(spy.order, ElementsAre("opt_g", "opt_d"));
  EXPECT_TRUE(only(spy.gradients["opt_g"], "d_").empty());
  EXPECT_FALSE(only(spy.gradients["opt_g"], "g_").empty());
  const Weights before = only(spy.gradients["opt_d"], "d_");
  rig.step(spy);
  const Weights frozen = only(spy.gradients["opt_g"], "d_");
  ASSERT_FALSE(frozen.empty());
  EXPECT_EQ(first_difference(before, frozen), "");
  // Nor does the discriminators' loss reach the generators.
  EXPECT_EQ(first_difference(only(spy.gradients["opt_g"], "g_"), only(spy.gradients["opt_d"], "g_")), "");
}

TEST(CycleGanStep, SgdMovesByTheRateTimesTheGradient) {
  CycleGanSpec spec = tiny_spec();
  spec.optimizer.optimizer = "sgd";
  spec.optimizer.lr = 0.01;
  Rig rig(spec, cpu(at::kDouble));
  Spy spy(rig.model);
  const Weights before = weights_of(rig.model);
  rig.step(spy);
  const Weights first_after = weights_of(rig.model);
  const auto gradient = [&](const std::string& name) {
    return spy.gradients[name.starts_with("g_") ? "opt_g" : "opt_d"].at(name);
  };
  Weights velocity;
  for (const auto& [name, was] : before) {
    velocity[name] = gradient(name);
    EXPECT_TRUE(at::allclose(first_after.at(name), was - 0.01 * velocity[name], 1e-12, 1e-14)) << name;
  }
  rig.step(spy);
  for (const auto& [name, now] : weights_of(rig.model)) {
    const at::Tensor momentum = 0.9 * velocity.at(name) + gradient(name);
    EXPECT_TRUE(at::allclose(now, first_after.at(name) - 0.01 * momentum, 1e-12, 1e-14)) << name;
  }
}

TEST(CycleGanStep, AdamsFirstMoveIsTheRateInTheGradientsDirection) {
  Rig rig(tiny_spec(), cpu(at::kDouble));
  Spy spy(rig.model);
  const Weights before = weights_of(rig.model);
  rig.step(spy);
  // Bias corrected, the first moments are g and g^2: the step is lr g / (|g| + 1e-8).
  for (const auto& [name, now] : weights_of(rig.model)) {
    const at::Tensor g = spy.gradients[name.starts_with("g_") ? "opt_g" : "opt_d"].at(name);
    EXPECT_TRUE(at::allclose(now, before.at(name) - 0.0002 * g / (g.abs() + 1e-8), 1e-9, 1e-12)) << name;
  }
}

TEST(CriticSteps, UpdateTheDiscriminatorsThatOftenAndTheGeneratorsOnce) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.critic_steps = 3;
  Rig rig(spec);
  Spy spy(rig.model);
  EXPECT_EQ(rig.step(spy).batches, 3);
  EXPECT_THAT(spy.order, ElementsAre("opt_d", "opt_d", "opt_g", "opt_d"));
  EXPECT_EQ(rig.batches.next_index, 3);

  spec.cyclegan.lambda_gan = 0;  // no discriminator, no reason to pull batches for it
  EXPECT_EQ(Rig(spec).step().batches, 1);
}

TEST(CriticSteps, TheFirstOfThemLeaveTheGeneratorsWithoutGradient) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.critic_steps = 2;
  Rig rig(spec);
  class First : public GradientSync {
   public:
    First(const Model& model) : model_(model) {}
    void sync(Optimizer&) override {
      for (const char* name : {"g_a_to_b", "g_b_to_a"})
        for (const at::Tensor& parameter : network(model_, name)->parameters())
          EXPECT_FALSE(calls_ == 0 && parameter.grad().defined()) << name;
      ++calls_;
    }

   private:
    const Model& model_;
    int calls_ = 0;
  } first(rig.model);
  rig.step(first);
}

TEST(GradientPenalty, IsPartOfTheCriticsLossOnly) {
  CycleGanSpec spec = tiny_spec();
  spec.gan.gan_mode = "wgangp";
  spec.cyclegan.critic_steps = 1;
  const auto first = [&](double weight) {
    spec.gan.gp_weight = weight;
    return Rig(spec, cpu(at::kDouble)).step();
  };
  const StepReport none = first(0), one = first(1), ten = first(10);
  const double penalty = one.loss("d_a") - none.loss("d_a");
  EXPECT_GT(penalty, 0);
  EXPECT_NEAR(ten.loss("d_a") - none.loss("d_a"), 10 * penalty, 1e-10);
  EXPECT_EQ(one.loss("g_a_to_b"), none.loss("g_a_to_b"));
}

}  // namespace
}  // namespace torsor::testing
