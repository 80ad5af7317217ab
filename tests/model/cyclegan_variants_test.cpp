// Every variant of a CycleGAN trains: ablations, GAN modes, forms of the identity loss, channel counts,
// samples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Ablation {
  std::string name;
  std::function<void(CycleGanOptions&)> set;
  std::set<std::string> losses;  // that are there; the others are 0
};
void PrintTo(const Ablation& a, std::ostream* out) { *out << a.name; }

class Ablations : public ::testing::TestWithParam<Ablation> {};

TEST_P(Ablations, TrainWithTheLossesTheyHaveAndNoOthers) {
  CycleGanSpec spec = tiny_spec();
  GetParam().set(spec.cyclegan);
  Rig rig(spec);
  const Weights before = weights_of(rig.model);
  for (int step = 0; step < 3; ++step)
    for (const auto& [name, value] : rig.step().losses) {
      EXPECT_TRUE(std::isfinite(value)) << name;
      EXPECT_EQ(value != 0, GetParam().losses.contains(name)) << name << " is " << value;
    }
  const Weights after = weights_of(rig.model);
  for (const char* generator : {"g_a_to_b", "g_b_to_a"})
    EXPECT_NE(first_difference(before, after, generator), "") << generator << " did not learn";
  for (const char* discriminator : {"d_a", "d_b"})
    EXPECT_EQ(first_difference(before, after, discriminator) != "", GetParam().losses.contains(discriminator))
        << discriminator;
  EXPECT_EQ(non_finite_weight(rig.model), "");
}

INSTANTIATE_TEST_SUITE_P(
    CycleGan, Ablations,
    ::testing::Values(Ablation{"cycle_alone",
                               [](CycleGanOptions& o) {
                                 o.lambda_gan = 0;
                                 o.lambda_identity = 0;
                               },
                               {"cycle_a", "cycle_b"}},
                      Ablation{"cycle_and_identity",
                               [](CycleGanOptions& o) { o.lambda_gan = 0; },
                               {"cycle_a", "cycle_b", "idt_a", "idt_b"}},
                      Ablation{"gan_alone",
                               [](CycleGanOptions& o) { o.lambda_cycle_a = o.lambda_cycle_b = 0; },
                               {"d_a", "d_b", "g_a_to_b", "g_b_to_a"}},
                      Ablation{"gan_and_source_identity",
                               [](CycleGanOptions& o) {
                                 o.lambda_cycle_a = o.lambda_cycle_b = 0;
                                 o.alpha_id = 1;
                               },
                               {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "idt_a", "idt_b"}},
                      // The default identity loss is relative to a cycle: where that is off, it is too.
                      Ablation{"forward_cycle",
                               [](CycleGanOptions& o) { o.lambda_cycle_b = 0; },
                               {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a", "idt_b"}},
                      Ablation{"backward_cycle",
                               [](CycleGanOptions& o) { o.lambda_cycle_a = 0; },
                               {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_b", "idt_a"}},
                      Ablation{"forward_cycle_alone",
                               [](CycleGanOptions& o) {
                                 o.lambda_cycle_b = 0;
                                 o.lambda_gan = 0;
                                 o.lambda_identity = 0;
                               },
                               {"cycle_a"}}),
    [](const auto& test) { return test.param.name; });

// S1-C1: each of the six losses left out alone, without the identity term, which is none of them. What a
// generator does not listen to, its discriminator does not learn.
INSTANTIATE_TEST_SUITE_P(
    SixLosses, Ablations,
    ::testing::Values(Ablation{"without_g_a_to_b",
                               [](CycleGanOptions& o) { o.lambda_gan_a = o.lambda_identity = 0.0; },
                               {"d_a", "g_b_to_a", "cycle_a", "cycle_b"}},
                      Ablation{"without_g_b_to_a",
                               [](CycleGanOptions& o) { o.lambda_gan_b = o.lambda_identity = 0.0; },
                               {"d_b", "g_a_to_b", "cycle_a", "cycle_b"}},
                      Ablation{"without_d_a",
                               [](CycleGanOptions& o) { o.lambda_d_a = o.lambda_identity = 0.0; },
                               {"d_b", "g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b"}},
                      Ablation{"without_d_b",
                               [](CycleGanOptions& o) { o.lambda_d_b = o.lambda_identity = 0.0; },
                               {"d_a", "g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b"}},
                      Ablation{"without_cycle_a",
                               [](CycleGanOptions& o) {
                                 o.lambda_cycle_a = 0;
                                 o.lambda_identity = 0;
                               },
                               {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_b"}},
                      Ablation{"without_cycle_b",
                               [](CycleGanOptions& o) {
                                 o.lambda_cycle_b = 0;
                                 o.lambda_identity = 0;
                               },
                               {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a"}}),
    [](const auto& test) { return test.param.name; });

// What the reference does not have: the losses are there in addition to the usual ones.
INSTANTIATE_TEST_SUITE_P(Further, Ablations,
                         ::testing::Values(Ablation{"gan_cycle",
                                                    [](CycleGanOptions& o) { o.lambda_gan_cycle = 1; },
                                                    {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a",
                                                     "cycle_b", "idt_a", "idt_b", "gan_cycle_a",
                                                     "gan_cycle_b"}},
                                           Ablation{"gan_cycle_alone",
                                                    [](CycleGanOptions& o) {
                                                      o.lambda_gan_cycle = 1;
                                                      o.lambda_gan = o.lambda_cycle_a = o.lambda_cycle_b = 0;
                                                    },
                                                    {"d_a", "d_b", "gan_cycle_a", "gan_cycle_b"}},
                                           Ablation{"features",
                                                    [](CycleGanOptions& o) {
                                                      o.lambda_feature_cycle = o.lambda_feature_identity = 1;
                                                      o.lambda_cycle_a = o.lambda_cycle_b = 0;
                                                    },
                                                    {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "feature_cycle_a",
                                                     "feature_cycle_b", "feature_idt_a", "feature_idt_b"}},
                                           Ablation{"euclidean",
                                                    [](CycleGanOptions& o) { o.cycle_norm = "euclidean"; },
                                                    {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a",
                                                     "cycle_b", "idt_a", "idt_b"}}),
                         [](const auto& test) { return test.param.name; });

TEST(AdversarialWeights, OfBothDirectionsAreTheCommonOneUnlessGiven) {
  const auto trained = [](const std::function<void(CycleGanOptions&)>& set) {
    CycleGanSpec spec = tiny_spec();
    set(spec.cyclegan);
    Rig rig(spec);
    for (int step = 0; step < 2; ++step) rig.step();
    return weights_of(rig.model);
  };
  const Weights common = trained([](CycleGanOptions& o) { o.lambda_gan = 0.5; });
  EXPECT_EQ(first_difference(common, trained([](CycleGanOptions& o) {
                               o.lambda_gan = 9;
                               o.lambda_gan_a = o.lambda_gan_b = 0.5;
                             })),
            "");
  EXPECT_NE(first_difference(common, trained([](CycleGanOptions& o) {
                               o.lambda_gan = 0.5;
                               o.lambda_gan_a = 0.25;
                             }),
                             "g_a_to_b"),
            "");
}

class GanModes : public ::testing::TestWithParam<std::string> {};

TEST_P(GanModes, TrainAllNetworks) {
  CycleGanSpec spec = tiny_spec();
  spec.gan.gan_mode = GetParam();
  spec.cyclegan.pool_size = 2;
  Rig rig(spec);
  const Weights before = weights_of(rig.model);
  const std::int64_t pulled = GetParam() == "wgangp" ? 5 : 1;
  EXPECT_EQ(rig.model.batches_per_step(), pulled);
  for (int step = 0; step < 3; ++step) {
    const StepReport report = rig.step();
    EXPECT_EQ(report.batches, pulled);
    EXPECT_EQ(report.images, pulled);
    for (const auto& [name, value] : report.losses) EXPECT_TRUE(std::isfinite(value)) << name;
  }
  for (const auto& [name, network] : rig.model.networks())
    EXPECT_NE(first_difference(before, weights_of(rig.model), name), "") << name;
  EXPECT_EQ(non_finite_weight(rig.model), "");
}

INSTANTIATE_TEST_SUITE_P(CycleGan, GanModes, ::testing::ValuesIn(gan_modes()),
                         [](const auto& test) { return test.param; });

TEST(Identity, ResolvesToTheReferencesByDefault) {
  CycleGanOptions options;
  options.lambda_cycle_a = 3;
  options.lambda_cycle_b = 8;
  std::string notice;
  const IdentityTerm term = resolve_identity(options, 3, 3, notice);
  EXPECT_EQ(term.weight_a_to_b, 4);
  EXPECT_EQ(term.weight_b_to_a, 1.5);
  EXPECT_FALSE(term.source);
  EXPECT_EQ(notice, "");
  options.lambda_identity = 0;
  EXPECT_FALSE(resolve_identity(options, 3, 3, notice).on());
}

TEST(Identity, UnequalChannelsSwitchTheDefaultOffAndSaySo) {
  CycleGanOptions options;
  std::string notice;
  EXPECT_FALSE(resolve_identity(options, 1, 3, notice).on());
  EXPECT_THAT(notice, AllOf(HasSubstr("identity loss is off"), HasSubstr("1"), HasSubstr("3")));

  std::string silent;
  options.lambda_identity = 0;  // switched off by the user: nothing to tell
  EXPECT_FALSE(resolve_identity(options, 1, 3, silent).on());
  EXPECT_EQ(silent, "");
}

TEST(Identity, AskedForWithUnequalChannelsIsAnError) {
  CycleGanOptions relative, absolute;
  relative.lambda_identity = 0.5;
  absolute.alpha_id = 1;
  std::string notice;
  EXPECT_THAT(error_of<UsageError>([&] { resolve_identity(relative, 1, 3, notice); }),
              AllOf(HasSubstr("--lambda-identity"), HasSubstr("1 and 3 channels"), HasSubstr("set it to 0")));
  CycleGanOptions features;
  features.lambda_feature_identity = 1;
  EXPECT_THAT(error_of<UsageError>([&] { resolve_identity(features, 1, 3, notice); }),
              AllOf(HasSubstr("--lambda-feature-identity"), HasSubstr("1 and 3 channels")));
  EXPECT_THAT(error_of<UsageError>([&] { resolve_identity(absolute, 4, 3, notice); }),
              AllOf(HasSubstr("--alpha-id"), HasSubstr("4 and 3 channels")));
}

TEST(Identity, BothFormsAtOnceIsAnError) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.lambda_identity = 0.5;
  spec.cyclegan.alpha_id = 1;
  EXPECT_THAT(error_of<UsageError>([&] { Rig rig(spec); }),
              AllOf(HasSubstr("--lambda-identity"), HasSubstr("--alpha-id")));
}

TEST(Channels, MayDifferBetweenTheDomains) {
  CycleGanSpec spec = tiny_spec();
  spec.g_a_to_b.in_channels = spec.g_b_to_a.out_channels = spec.d_a.in_channels = 1;
  spec.g_a_to_b.out_channels = spec.g_b_to_a.in_channels = spec.d_b.in_channels = 4;
  Rig rig(spec);
  const StepReport report = rig.step();
  EXPECT_EQ(report.loss("idt_a"), 0);
  EXPECT_EQ(report.loss("idt_b"), 0);
  EXPECT_GT(report.loss("cycle_a"), 0);
  const auto rows = rig.model.sample(rig.batches.at_index(0));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].size(), 3u);  // no identity picture
  EXPECT_EQ(rows[0][1].images.size(1), 4);
  EXPECT_EQ(rows[1][1].images.size(1), 1);
}

TEST(Options, AllWeightsZeroIsAnError) {
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.lambda_gan = spec.cyclegan.lambda_cycle_a = spec.cyclegan.lambda_cycle_b = 0;
  EXPECT_THAT(error_of<UsageError>([&] { Rig rig(spec); }), HasSubstr("nothing would be learnt"));
  spec.cyclegan.lambda_gan_a = 1;
  EXPECT_NO_THROW(Rig{spec});
  spec.cyclegan.lambda_gan = 1;
  spec.cyclegan.lambda_gan_a = spec.cyclegan.lambda_gan_b = 0;
  EXPECT_THAT(error_of<UsageError>([&] { Rig rig(spec); }), HasSubstr("nothing would be learnt"));
}

TEST(Sample, ShowsBothDirectionsAndLeavesTheModelAlone) {
  CycleGanSpec spec = tiny_spec();
  spec.g_a_to_b.norm = spec.g_b_to_a.norm = "batch";  // running statistics
  spec.g_a_to_b.dropout = spec.g_b_to_a.dropout = true;
  Rig rig(spec);
  rig.batches.batch_size = 2;
  rig.step();
  const Weights before = weights_of(rig.model);
  const Json streams = rig.rng.save();
  const auto labels = [](const std::vector<LabelledImages>& row) {
    std::vector<std::string> out;
    for (const auto& column : row) out.push_back(column.label);
    return out;
  };
  const Batch shown = rig.batches.at_index(7);
  const auto once = rig.model.sample(shown), twice = rig.model.sample(shown);
  ASSERT_EQ(once.size(), 2u);
  EXPECT_THAT(labels(once[0]), ElementsAre("real_a", "fake_b", "rec_a", "idt_b"));
  EXPECT_THAT(labels(once[1]), ElementsAre("real_b", "fake_a", "rec_b", "idt_a"));
  EXPECT_TRUE(at::equal(once[0][0].images, shown.at("real_a")));
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t i = 0; i < once[row].size(); ++i) {
      EXPECT_TRUE(at::equal(once[row][i].images, twice[row][i].images)) << once[row][i].label;
      EXPECT_FALSE(once[row][i].images.requires_grad()) << once[row][i].label;
    }
  EXPECT_EQ(first_difference(before, weights_of(rig.model)), "");
  EXPECT_EQ(streams, rig.rng.save());
  for (const auto& [name, network] : rig.model.networks()) EXPECT_TRUE(network->is_training()) << name;
}

TEST(Seed, DecidesTheWeights) {
  const Weights one = weights_of(Rig(tiny_spec(), cpu(), 1).model);
  EXPECT_EQ(first_difference(one, weights_of(Rig(tiny_spec(), cpu(), 1).model)), "");
  for (const char* name : {"g_a_to_b", "g_b_to_a", "d_a", "d_b"})
    EXPECT_NE(first_difference(one, weights_of(Rig(tiny_spec(), cpu(), 2).model), name), "") << name;
  // Networks of one shape do not start alike.
  EXPECT_FALSE(at::equal(one.at("d_a model.0.weight"), one.at("d_b model.0.weight")));
}

// With plain SGD a step moves a weight by the rate times its gradient, which is the same for both models.
TEST(LearningRates, TheDiscriminatorsMayHaveTheirOwn) {
  const auto moved = [](std::optional<double> lr_d, const std::string& network) {
    CycleGanSpec spec = tiny_spec();
    spec.optimizer.optimizer = "sgd";
    spec.optimizer.momentum = 0;
    spec.optimizer.lr = 1e-3;
    spec.optimizer.lr_d = lr_d;
    Rig rig(spec);
    const Weights before = weights_of(rig.model);
    rig.step();
    double sum = 0;
    for (const auto& [name, tensor] : weights_of(rig.model))
      if (name.starts_with(network)) sum += (tensor - before.at(name)).abs().sum().template item<double>();
    return sum;
  };
  EXPECT_NEAR(moved(1e-4, "d_a") / moved({}, "d_a"), 0.1, 1e-3);
  EXPECT_EQ(moved(1e-4, "g_a_to_b"), moved({}, "g_a_to_b"));
}

}  // namespace
}  // namespace torsor::testing
