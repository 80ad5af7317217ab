// The systems that CycleGAN was compared with: each loss and gradient against a computation of its own, what
// each update touches, what continues from a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/average_scope.h"
#include "model/bigan_settings.h"
#include "model/cogan_settings.h"
#include "model/cures_test_support.h"
#include "model/model_types.h"
#include "model/one_way.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class ModelType>
struct BaselineRig : RigOf<ModelType> {
  template <class Spec>
  explicit BaselineRig(const Spec& spec, std::uint64_t seed = 1,
                       const Placement& placement = cpu(at::kDouble))
      : RigOf<ModelType>(spec, placement, seed) {
    this->batches.batch_size = 2;
  }
  Network& of(const std::string& name) { return *network(this->model, name); }
  Tensor real(const char* name) const { return this->batches.at_index(0).at(name).to(at::kDouble); }
};

Tensor to_one(const Tensor& scores) { return (scores - 1).pow(2).mean(); }
Tensor to_zero(const Tensor& scores) { return scores.pow(2).mean(); }

// The gradients that `spy` saw at the step of `optimizer` against those of `expected`, a model of equal
// weights whose loss went backward by hand.
template <class Rig>
void expect_gradients(const Spy& spy, const std::string& optimizer, Rig& expected, const std::string& name,
                      double tolerance = kTolerance) {
  std::size_t compared = 0;
  for (const auto& parameter : expected.of(name).named_parameters()) {
    if (!parameter.value().grad().defined()) continue;
    const Tensor got = spy.gradients.at(optimizer).at(name + " " + parameter.key());
    EXPECT_LE((got - parameter.value().grad()).abs().max().template item<double>(), tolerance)
        << name << ' ' << parameter.key();
    ++compared;
  }
  EXPECT_GT(compared, 0U) << name;
}

std::string names_of(const StepReport& report) {
  std::string out;
  for (const auto& [name, value] : report.losses) out += name + " ";
  return out;
}

// --- one generator ---

OneWaySpec tiny_one_way(std::optional<LossTerm> beside = {}) {
  const CycleGanSpec tiny = tiny_spec();
  OneWaySpec spec;
  spec.g_a_to_b = tiny.g_a_to_b;
  spec.d_b = tiny.d_b;
  spec.init = tiny.init;
  spec.one_way.pool_size = 0;
  spec.beside = std::move(beside);
  return spec;
}

TEST(GanAlone, LearnsFromTheDiscriminatorAlone) {
  BaselineRig<OneWayModel> rig(tiny_one_way()), twin(tiny_one_way());
  const Tensor fake = twin.of("g_a_to_b").forward(twin.real("real_a"));
  const Tensor loss = to_one(twin.of("d_b").forward(fake));
  loss.backward();
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_EQ(names_of(report), "d_b g_a_to_b ");
  EXPECT_NEAR(report.loss("g_a_to_b"), loss.item<double>(), kTolerance);
  expect_gradients(spy, "opt_g", twin, "g_a_to_b");
}

TEST(SimGan, AddsTheL1DistanceToTheInput) {
  const OneWaySpec spec = tiny_one_way(self_term(0.5));
  BaselineRig<OneWayModel> rig(spec), twin(spec);
  const Tensor x = twin.real("real_a"), fake = twin.of("g_a_to_b").forward(x);
  const Tensor distance = (fake - x).abs().mean();
  (to_one(twin.of("d_b").forward(fake)) + distance * 0.5).backward();
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_EQ(names_of(report), "d_b g_a_to_b self_a ");
  EXPECT_NEAR(report.loss("self_a"), 0.5 * distance.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("self_a"), 0.5 * mean_absolute(fake, x), kTolerance);
  expect_gradients(spy, "opt_g", twin, "g_a_to_b");
}

TEST(FeatureGan, ComparesWhatTheEncoderSees) {
  const TestFolder folder;
  OneWaySpec spec = tiny_one_way(feature_self_term(0.5));
  spec.encoder = std::make_shared<ContentEncoder>(write_classifier(folder, 1));
  BaselineRig<OneWayModel> rig(spec), twin(spec);
  const Tensor x = twin.real("real_a"), fake = twin.of("g_a_to_b").forward(x);
  const Tensor distance = ((*spec.encoder)(fake) - (*spec.encoder)(x)).abs().mean();
  (to_one(twin.of("d_b").forward(fake)) + distance * 0.5).backward();
  Spy spy(rig.model);
  GradientSync& sync = spy;
  EXPECT_NEAR(rig.step(sync).loss("self_a"), 0.5 * distance.item<double>(), 1e-6);  // it computes in float32
  EXPECT_GT(distance.item<double>(), 0);
  expect_gradients(spy, "opt_g", twin, "g_a_to_b", 1e-6);
}

// --- BiGAN ---

BiGanSpec tiny_bigan() {
  const CycleGanSpec tiny = tiny_spec();
  BiGanSpec spec;
  spec.g_a_to_b = tiny.g_a_to_b;
  spec.g_b_to_a = tiny.g_b_to_a;
  spec.d_ab = tiny.d_b;
  spec.d_ab.in_channels = tiny.g_a_to_b.in_channels + tiny.g_a_to_b.out_channels;
  spec.init = tiny.init;
  return spec;
}

TEST(BiGanStep, OneDiscriminatorOfPairsTeachesBothGenerators) {
  BaselineRig<BiGan> rig(tiny_bigan()), twin(tiny_bigan());
  const Tensor x = twin.real("real_a"), y = twin.real("real_b");
  const Tensor of_g = at::cat({x, twin.of("g_a_to_b").forward(x)}, 1),
               of_f = at::cat({twin.of("g_b_to_a").forward(y), y}, 1);
  const Tensor g = to_zero(twin.of("d_ab").forward(of_g)), f = to_one(twin.of("d_ab").forward(of_f));
  (g + f).backward();
  twin.of("d_ab").zero_grad();
  const Tensor telling =
      (to_one(twin.of("d_ab").forward(of_g.detach())) + to_zero(twin.of("d_ab").forward(of_f.detach()))) *
      0.5;
  telling.backward();
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_EQ(names_of(report), "d_ab g_a_to_b g_b_to_a ");
  EXPECT_NEAR(report.loss("g_a_to_b"), g.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("g_b_to_a"), f.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("d_ab"), telling.item<double>(), kTolerance);
  EXPECT_THAT(spy.order, ElementsAre("opt_g", "opt_d"));
  expect_gradients(spy, "opt_g", twin, "g_a_to_b");
  expect_gradients(spy, "opt_g", twin, "g_b_to_a");
  expect_gradients(spy, "opt_d", twin, "d_ab");
}

TEST(BiGanStep, ACriticStepsMoreOften) {
  BiGanSpec spec = tiny_bigan();
  spec.gan.gan_mode = "wgangp";
  BaselineRig<BiGan> rig(spec);
  Spy spy(rig.model);
  GradientSync& sync = spy;
  EXPECT_EQ(rig.step(sync).batches, 5);
  EXPECT_THAT(spy.order, ElementsAre("opt_d", "opt_d", "opt_d", "opt_d", "opt_g", "opt_d"));
}

TEST(BiGanStep, ContinuesFromAFileAndShowsBothWays) {
  BiGanSpec spec = tiny_bigan();
  spec.g_a_to_b.dropout = true;
  BaselineRig<BiGan> whole(spec, 1, cpu()), rest(spec, 2, cpu());
  expect_continues_from_a_file(whole, rest);
  const auto rows = whole.model.sample(whole.batches.at_index(0));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0][2].label, "rec_a");
  EXPECT_EQ(rows[1][1].label, "fake_a");
}

TEST(BiGanStep, ADiscriminatorOfOneImageIsRefused) {
  BiGanSpec spec = tiny_bigan();
  spec.d_ab.in_channels = 1;
  EXPECT_THAT(error_of<UsageError>([&] { BiGan(spec, cpu(), 1); }), HasSubstr("together"));
}

// --- CoGAN ---

CoGanSpec tiny_cogan(std::int64_t side = 16) {
  CoGanSettings settings;
  OptionSet set;
  settings.describe_networks(set);
  settings.describe_losses(set);
  set.from_json({{"net_g", "latent_" + std::to_string(side)},
                 {"ngf", 2},
                 {"ndf", 2},
                 {"net_d", "n_layers"},
                 {"n_layers_d", 1},
                 {"norm", "batch"},
                 {"norm_d", "none"}},
                "test");
  CoGanSpec spec = settings.spec({3, 3}, {});
  spec.init.init_gain = 0.2;
  return spec;
}

struct CoGanRig : BaselineRig<CoGan> {
  using BaselineRig<CoGan>::BaselineRig;
  LatentGenerator& g(const char* name) { return dynamic_cast<LatentGenerator&>(of(name)); }
  /// That the next step draws.
  Tensor latents() const {
    RngStreams streams = rng;
    Tensor z = at::empty({2, LatentGenerator::kLatent, 1, 1}, at::kDouble);
    for (std::int64_t i = 0; i < z.numel(); ++i) z.data_ptr<double>()[i] = streams["latent"].uniform(-1, 1);
    return z;
  }
};

TEST(CoGanStep, LossesAndGradientsAreTheFormulas) {
  const CoGanSpec spec = tiny_cogan();
  CoGanRig rig(spec), twin(spec);
  const Tensor z = twin.latents(), x = twin.real("real_a"), y = twin.real("real_b");
  LatentGenerator &a_to_b = twin.g("g_a_to_b"), &b_to_a = twin.g("g_b_to_a");
  const Tensor fake_a = b_to_a.decode(z), fake_b = a_to_b.decode(z);
  const Tensor g_a = to_one(twin.of("d_a").forward(fake_a)), g_b = to_one(twin.of("d_b").forward(fake_b));
  (g_a + g_b).backward();
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_EQ(names_of(report), "d_a d_b g_a g_b rec_a rec_b latent_a latent_b ");
  EXPECT_THAT(spy.order, ElementsAre("opt_g", "opt_d", "opt_e"));
  EXPECT_NEAR(report.loss("g_a"), g_a.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("g_b"), g_b.item<double>(), kTolerance);
  expect_gradients(spy, "opt_g", twin, "g_a_to_b");
  expect_gradients(spy, "opt_g", twin, "g_b_to_a");

  for (const char* name : {"d_a", "d_b"}) twin.of(name).zero_grad();
  const Tensor d_a = (to_one(twin.of("d_a").forward(x)) + to_zero(twin.of("d_a").forward(fake_a.detach()))) *
                     0.5,
               d_b = (to_one(twin.of("d_b").forward(y)) + to_zero(twin.of("d_b").forward(fake_b.detach()))) *
                     0.5;
  (d_a + d_b).backward();
  EXPECT_NEAR(report.loss("d_a"), d_a.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("d_b"), d_b.item<double>(), kTolerance);
  expect_gradients(spy, "opt_d", twin, "d_a");
  expect_gradients(spy, "opt_d", twin, "d_b");
}

TEST(CoGanStep, EncodersLearnToNameTheLatentsOfWhatTheDecodersMake) {
  CoGanSpec spec = tiny_cogan();
  spec.optimizer.lr = 0;  // so that the decoders are, when the encoders learn, what they were
  CoGanRig rig(spec), twin(spec);
  const Tensor z = twin.latents(), x = twin.real("real_a");
  LatentGenerator &a_to_b = twin.g("g_a_to_b"), &b_to_a = twin.g("g_b_to_a");
  const Tensor made = b_to_a.decode(z).detach();
  const Tensor rec = (b_to_a.decode(a_to_b.encode(x)) - x).abs().mean();
  const Tensor latent = (a_to_b.encode(made) - z).square().mean();
  const Tensor total = rec * 10 + latent;
  const auto encoder = a_to_b.encoder_parameters();
  const auto gradients = torch::autograd::grad({total}, {encoder[0]});
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_NEAR(report.loss("rec_a"), 10 * rec.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("latent_a"), latent.item<double>(), kTolerance);
  EXPECT_LE(
      (spy.gradients.at("opt_e").at("g_a_to_b model.0.weight") - gradients[0]).abs().max().item<double>(),
      kTolerance);
}

TEST(CoGanStep, TheEndsAreSharedAndStaySo) {
  CoGanRig rig(tiny_cogan());
  for (int step = 0; step < 2; ++step) rig.step();
  const auto decoder_a = rig.g("g_b_to_a").decoder_parameters(),
             decoder_b = rig.g("g_a_to_b").decoder_parameters();
  ASSERT_EQ(decoder_a.size(), decoder_b.size());
  EXPECT_TRUE(decoder_a.front().is_same(decoder_b.front())) << "the first layer, from the latent";
  EXPECT_FALSE(decoder_a.back().is_same(decoder_b.back())) << "the last, to the image";
  EXPECT_FALSE(at::equal(decoder_a.back(), decoder_b.back()));
  const auto d_a = rig.of("d_a").parameters(), d_b = rig.of("d_b").parameters();
  EXPECT_TRUE(d_a.back().is_same(d_b.back())) << "the last layer, of the score";
  EXPECT_FALSE(d_a.front().is_same(d_b.front())) << "the first, from the image";
  EXPECT_FALSE(
      rig.g("g_a_to_b").encoder_parameters().back().is_same(rig.g("g_b_to_a").encoder_parameters().back()));
  // Adam's step of a weight that two networks share is one step.
  std::size_t all = 0;
  for (const auto& [name, net] : rig.model.networks()) all += net->parameters().size();
  std::size_t stepped = 0;
  for (const Optimizer* optimizer : rig.model.optimizers()) stepped += optimizer->parameters().size();
  EXPECT_LT(stepped, all);
}

TEST(CoGanStep, TheEncodersChangeNothingInTheDecoders) {
  const auto after_a_step = [](double weight) {
    CoGanSpec spec = tiny_cogan();
    spec.cogan.lambda_rec = weight;
    CoGanRig rig(spec);
    rig.step();
    std::vector<Tensor> out;
    for (const Tensor& p : rig.g("g_a_to_b").decoder_parameters()) out.push_back(p.detach().clone());
    return out;
  };
  const auto light = after_a_step(0.1), heavy = after_a_step(100);
  for (std::size_t i = 0; i < light.size(); ++i) EXPECT_TRUE(at::equal(light[i], heavy[i])) << i;
}

TEST(CoGanStep, ContinuesFromAFile) {
  CoGanRig whole(tiny_cogan(), 1, cpu()), rest(tiny_cogan(), 2, cpu());
  expect_continues_from_a_file(whole, rest);
}

TEST(CoGanStep, ShowsWhatBothDomainsMakeOfTheSameLatents) {
  CoGanRig rig(tiny_cogan());
  const auto rows = rig.model.sample(rig.batches.at_index(0));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2][0].label, "made_a");
  EXPECT_EQ(rows[2][1].label, "made_b");
  EXPECT_TRUE(at::equal(rows[2][0].images, rig.model.sample(rig.batches.at_index(0))[2][0].images));
}

// Weights that two networks share come back as they were when averages are looked at in their place.
TEST(CoGanStep, AnAverageIsLookedAtAndPutAway) {
  CoGanRig rig(tiny_cogan());
  rig.model.keep_average(0.9);
  for (int step = 0; step < 3; ++step) {
    rig.step();
    rig.model.update_average();
  }
  const Weights before = weights_of(rig.model);
  {
    const AverageScope averaged(rig.model);
    EXPECT_NE(first_difference(before, weights_of(rig.model)), "");
  }
  EXPECT_EQ(first_difference(before, weights_of(rig.model)), "");
}

TEST(CoGanStep, LargerImagesHaveAMapOfLatents) {
  CoGanSpec spec = tiny_cogan(8);
  const auto g = std::dynamic_pointer_cast<LatentGenerator>(make_generator(spec.g_a_to_b));
  EXPECT_EQ(g->latent_shape(2, 8, 8), (std::vector<std::int64_t>{2, 100, 1, 1}));
  EXPECT_EQ(g->latent_shape(2, 16, 12), (std::vector<std::int64_t>{2, 100, 5, 3}));
  const at::NoGradGuard no_grad;
  EXPECT_EQ(g->encode(at::zeros({2, 3, 16, 12})).sizes(), (std::vector<std::int64_t>{2, 100, 5, 3}));
  EXPECT_EQ(g->decode(at::zeros({2, 100, 5, 3})).sizes(), (std::vector<std::int64_t>{2, 3, 16, 12}));
}

// --- their options ---

Json described(const std::string& model, const Json& json, const DomainChannels& channels = {}) {
  ModelChoice choice(model);
  OptionSet set;
  choice->describe_networks(set);
  choice->describe_losses(set);
  set.from_json(json, "run.json");
  choice->read_files();
  choice->validate(channels);
  return {{"images_kept", choice->images_kept()}};
}

TEST(BaselineSettings, WhatCannotBeTrainedIsRefused) {
  const auto refused = [](const std::string& model, const Json& json, const DomainChannels& channels = {}) {
    return error_of<UsageError>([&] { described(model, json, channels); });
  };
  EXPECT_THAT(refused("feature_gan", Json::object()),
              AllOf(HasSubstr("--self-encoder"), HasSubstr("simgan")));
  EXPECT_THAT(refused("simgan", Json::object(), {3, 1}), HasSubstr("3 and 1 channels"));
  EXPECT_THAT(refused("cogan", {{"net_g", "resnet_9blocks"}}), HasSubstr("latent_128"));
  EXPECT_THAT(refused("cogan", {{"net_g", "latent_96"}}), HasSubstr("power of two"));
  EXPECT_THAT(refused("cogan", {{"lambda_rec", 0}, {"lambda_latent", 0}}), HasSubstr("--lambda-latent"));
  EXPECT_THAT(refused("bigan", {{"net_g", "identity"}}), HasSubstr("nothing to train"));
  EXPECT_EQ(described("gan", {{"pool_size", 7}})["images_kept"], 7);
}

}  // namespace
}  // namespace torsor::testing
