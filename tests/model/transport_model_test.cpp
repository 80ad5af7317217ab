// The step of the transport model: its losses and its gradients against a computation of their own, what each
// update touches, what it remembers; and that it does what it is for.
#include "model/one_way.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/cures_test_support.h"
#include "model/transport_settings.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

OneWaySpec tiny_transport(const std::string& cost = kPixelCost, double weight = 0.5) {
  const CycleGanSpec tiny = tiny_spec();
  OneWaySpec spec;
  spec.g_a_to_b = tiny.g_a_to_b;
  spec.g_a_to_b.net_g = "resnet_2blocks";
  spec.g_a_to_b.norm = "instance_affine";
  spec.d_b = tiny.d_b;
  spec.init = tiny.init;
  spec.one_way.pool_size = 0;
  TransportCostOptions options;
  options.transport_cost = cost;
  options.lambda_transport = weight;
  spec.beside = transport_term(options);
  spec.unweighted = "cost_a";
  return spec;
}

OneWaySpec tiny_by_features(const TestFolder& folder) {
  OneWaySpec spec = tiny_transport(kFeatureCost);
  spec.encoder = std::make_shared<ContentEncoder>(write_classifier(folder, 1));
  return spec;
}

struct TransportRig : RigOf<OneWayModel> {
  explicit TransportRig(const OneWaySpec& spec, const Placement& placement = cpu(at::kDouble),
                        std::uint64_t seed = 1)
      : RigOf(spec, placement, seed) {
    batches.batch_size = 2;
  }
  Generator& g() { return dynamic_cast<Generator&>(*network(model, "g_a_to_b")); }
  Network& d() { return *network(model, "d_b"); }
  Tensor real(const char* name) const { return batches.at_index(0).at(name).to(at::kDouble); }
};

std::map<std::string, double> by_name(const StepReport& report) {
  return {report.losses.begin(), report.losses.end()};
}

/// The loss of S2-Q6 as it is written, for least squares: mean (D(G(x)) - 1)^2 + lambda C(G), with its parts.
struct ByHand {
  Tensor adversarial, cost, fake;
  Tensor total(double weight) const { return adversarial + cost * weight; }
};

ByHand by_hand(TransportRig& rig, const std::string& cost = kPixelCost) {
  const OneWaySpec& spec = rig.model.spec();
  const Tensor x = rig.real("real_a");
  std::vector<Tensor> residuals;
  ByHand out;
  out.fake = rig.g().forward_with_residuals(x, residuals);
  out.adversarial = (rig.d().forward(out.fake) - 1).pow(2).mean();
  if (cost == kBlockCost) {
    out.cost = at::zeros({}, at::kDouble);
    for (const Tensor& r : residuals)
      out.cost = out.cost + r.pow(2).sum() * static_cast<double>(residuals.size()) / r.numel();
  } else if (cost == kFeatureCost) {
    out.cost = ((*spec.encoder)(out.fake) - (*spec.encoder)(x)).pow(2).mean();
  } else {
    out.cost = (out.fake - x).pow(2).mean();
  }
  return out;
}

TEST(TransportStep, NamesItsLossesInOrderAndTellsWhatItConsumed) {
  TransportRig rig(tiny_transport());
  const StepReport report = rig.step();
  std::vector<std::string> names;
  for (const auto& [name, value] : report.losses) {
    names.push_back(name);
    EXPECT_GT(value, 0) << name;
  }
  EXPECT_THAT(names, ElementsAre("d_b", "g_a_to_b", "transport_a", "cost_a"));
  EXPECT_EQ(names, rig.model.loss_names());
  EXPECT_EQ(report.images, 2);
  EXPECT_EQ(report.batches, 1);
  EXPECT_THAT(report.items, ElementsAre("a0", "b0"));
}

TEST(TransportStep, LossesAndGradientsAreTheFormulas) {
  const TestFolder folder;
  for (const auto& [cost, spec] : {std::pair{std::string(kPixelCost), tiny_transport()},
                                   {kBlockCost, tiny_transport(kBlockCost)},
                                   {kBlockCost, tiny_transport(kBlockCost, 0)},
                                   {kFeatureCost, tiny_by_features(folder)}}) {
    const double weight = spec.beside->weight;
    TransportRig rig(spec), twin(spec);  // equal weights
    const ByHand expected = by_hand(twin, cost);
    Spy spy(rig.model);
    GradientSync& sync = spy;
    const std::map<std::string, double> losses = by_name(rig.step(sync));
    const double rounding = cost == kFeatureCost ? 1e-6 : kTolerance;  // it computes in float32
    EXPECT_NEAR(losses.at("g_a_to_b"), expected.adversarial.item<double>(), kTolerance) << cost;
    EXPECT_NEAR(losses.at("cost_a"), expected.cost.item<double>(), rounding) << cost;
    EXPECT_NEAR(losses.at("transport_a"), weight * expected.cost.item<double>(), rounding) << cost;
    expected.total(weight).backward();
    for (const auto& parameter : twin.g().named_parameters()) {
      const Tensor got = spy.gradients.at("opt_g").at("g_a_to_b " + parameter.key());
      EXPECT_LE((got - parameter.value().grad()).abs().max().item<double>(), rounding)
          << cost << ' ' << parameter.key();
    }
  }
}

// The discriminator learns behind the generator, from what the generator made before it stepped.
TEST(TransportStep, TheDiscriminatorTellsTranslationsFromB) {
  TransportRig rig(tiny_transport()), twin(tiny_transport());
  const ByHand expected = by_hand(twin);
  const Tensor loss = ((twin.d().forward(twin.real("real_b")) - 1).pow(2).mean() +
                       twin.d().forward(expected.fake.detach()).pow(2).mean()) *
                      0.5;
  twin.d().zero_grad();
  loss.backward();
  Spy spy(rig.model);
  GradientSync& sync = spy;
  EXPECT_NEAR(rig.step(sync).loss("d_b"), loss.item<double>(), kTolerance);
  EXPECT_THAT(spy.order, ElementsAre("opt_g", "opt_d"));
  for (const auto& parameter : twin.d().named_parameters())
    EXPECT_LE((spy.gradients.at("opt_d").at("d_b " + parameter.key()) - parameter.value().grad())
                  .abs()
                  .max()
                  .item<double>(),
              kTolerance)
        << parameter.key();
}

TEST(TransportStep, ACriticStepsMoreOften) {
  OneWaySpec spec = tiny_transport();
  spec.gan.gan_mode = "wgangp";
  TransportRig rig(spec);
  EXPECT_EQ(rig.model.batches_per_step(), 5);
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_EQ(report.batches, 5);
  EXPECT_EQ(report.images, 10);
  EXPECT_THAT(spy.order, ElementsAre("opt_d", "opt_d", "opt_d", "opt_d", "opt_g", "opt_d"));
  spec.one_way.critic_steps = 2;
  EXPECT_EQ(TransportRig(spec).model.batches_per_step(), 2);
}

TEST(TransportStep, AWeightOfZeroIsMeasuredAndNotLearnt) {
  const auto weights_after = [](const std::string& cost) {
    TransportRig rig(tiny_transport(cost, 0));
    const StepReport report = rig.step();
    EXPECT_EQ(report.loss("transport_a"), 0) << cost;
    EXPECT_GT(report.loss("cost_a"), 0) << cost;
    return weights_of(rig.model);
  };
  EXPECT_EQ(first_difference(weights_after(kPixelCost), weights_after(kBlockCost)), "");
}

TEST(TransportStep, ContinuesFromAFile) {
  for (const char* cost : {kPixelCost, kBlockCost}) {
    OneWaySpec spec = tiny_transport(cost);
    spec.one_way.pool_size = 3;
    spec.g_a_to_b.dropout = true;
    TransportRig whole(spec, cpu()), rest(spec, cpu(), 2);
    expect_continues_from_a_file(whole, rest);
  }
}

TEST(TransportStep, ShowsOneRow) {
  TransportRig rig(tiny_transport());
  const auto rows = rig.model.sample(rig.batches.at_index(0));
  ASSERT_EQ(rows.size(), 1U);
  std::vector<std::string> labels;
  for (const auto& column : rows[0]) labels.push_back(column.label);
  EXPECT_THAT(labels, ElementsAre("real_a", "fake_b", "real_b"));
}

// --- the reverse GAN ---

/// As an inverse: another map by the same weights.
struct PlantedInverse : Generator {
  explicit PlantedInverse(std::shared_ptr<Generator> g) : g_(std::move(g)) {}
  Tensor forward(const Tensor& y) override { return -g_->forward(-y); }
  SizeRule size_rule() const override { return g_->size_rule(); }

 private:
  std::shared_ptr<Generator> g_;
};

OneWaySpec with_reverse_gan(double weight) {
  OneWaySpec spec = tiny_transport();
  spec.reverse_gan = weight;
  spec.d_a = spec.d_b;
  spec.inverse = [](const std::shared_ptr<Generator>& g) { return std::make_shared<PlantedInverse>(g); };
  return spec;
}

TEST(ReverseGan, TeachesTheGeneratorThroughItsInverse) {
  const OneWaySpec spec = with_reverse_gan(0.25);
  TransportRig rig(spec), twin(spec);
  Network& d_a = *network(twin.model, "d_a");
  const Tensor fake_a = -twin.g().forward(-twin.real("real_b"));
  const Tensor way_back = (d_a.forward(fake_a) - 1).pow(2).mean();
  const Tensor telling =
      ((d_a.forward(twin.real("real_a")) - 1).pow(2).mean() + d_a.forward(fake_a).pow(2).mean()) * 0.5;
  Spy spy(rig.model);
  GradientSync& sync = spy;
  const StepReport report = rig.step(sync);
  EXPECT_NEAR(report.loss("g_b_to_a"), 0.25 * way_back.item<double>(), kTolerance);
  EXPECT_NEAR(report.loss("d_a"), telling.item<double>(), kTolerance);
  (by_hand(twin).total(spec.beside->weight) + way_back * 0.25).backward();
  for (const auto& parameter : twin.g().named_parameters())
    EXPECT_LE((spy.gradients.at("opt_g").at("g_a_to_b " + parameter.key()) - parameter.value().grad())
                  .abs()
                  .max()
                  .item<double>(),
              kTolerance)
        << parameter.key();
  EXPECT_THAT(rig.model.loss_names(),
              ElementsAre("d_a", "d_b", "g_a_to_b", "transport_a", "g_b_to_a", "cost_a"));
  EXPECT_EQ(rig.model.sample(rig.batches.at_index(0))[0].back().label, "fake_a");
}

TEST(ReverseGan, ContinuesFromAFile) {
  OneWaySpec spec = with_reverse_gan(0.5);
  spec.one_way.pool_size = 3;
  TransportRig whole(spec, cpu()), rest(spec, cpu(), 2);
  expect_continues_from_a_file(whole, rest);
}

TEST(ReverseGan, NeedsAnInverse) {
  OneWaySpec spec = with_reverse_gan(1);
  spec.inverse = nullptr;
  EXPECT_THAT(error_of<UsageError>([&] { require_usable(spec); }),
              AllOf(HasSubstr("--reverse-gan"), HasSubstr("resnet_2blocks")));
}

// --- what it is for ---

/// Images of one bright grey in A and of one dark grey in B.
class BrightAndDark : public BatchSource {
 public:
  Batch next() override {
    const auto greys = [&] {
      return (image_noise({8, 1, 1, 1}, seed_++) * 0.3 + 0.5).to(at::kFloat).expand({8, 1, 8, 8}).clone();
    };
    Batch batch;
    batch.tensors["real_a"] = greys();
    batch.tensors["real_b"] = -greys();
    return batch;
  }

 private:
  std::uint64_t seed_ = 1;
};

struct Learnt {
  double moved, grey;  // the means of (G(x) - x)^2 and of G(x)
};

Learnt learn(double weight) {
  OneWaySpec spec = tiny_transport(kPixelCost, weight);
  spec.g_a_to_b.in_channels = spec.g_a_to_b.out_channels = spec.d_b.in_channels = 1;
  spec.g_a_to_b.net_g = "resnet_1blocks";
  spec.g_a_to_b.n_downsampling = 1;
  spec.g_a_to_b.norm = "none";
  spec.d_b.net_d = "pixel";
  spec.d_b.norm = "none";
  spec.optimizer.lr = 4e-3;
  RigOf<OneWayModel> rig(spec);
  BrightAndDark images;
  GradientSync nothing;
  StepContext context{images, rig.rng, nothing};
  for (int step = 0; step < 120; ++step) rig.model.step(context);
  const Tensor x = BrightAndDark().next().at("real_a");
  const at::NoGradGuard no_grad;
  const Tensor y = network(rig.model, "g_a_to_b")->forward(x);
  return {(y - x).square().mean().item<double>(), y.mean().item<double>()};
}

TEST(TransportModelLearns, AHeavyCostKeepsImagesWhereTheyAre) {
  const Learnt heavy = learn(100), none = learn(0);
  EXPECT_LT(heavy.moved, 0.05);
  EXPECT_GT(heavy.grey, 0.3);
  EXPECT_GT(none.moved, 0.5);
  EXPECT_LT(none.grey, -0.2) << "as B is";
}

// --- its options ---

TransportSettings transport_settings(const Json& json) {
  TransportSettings out;
  OptionSet set;
  out.describe_networks(set);
  out.describe_losses(set);
  set.from_json(json, "run.json");
  return out;
}

TEST(TransportSettingsTest, DefaultsCanBeTrained) {
  const TransportSettings s = transport_settings(Json::object());
  EXPECT_EQ(s.cost.transport_cost, kPixelCost);
  EXPECT_EQ(s.cost.lambda_transport, 1);
  EXPECT_NO_THROW(s.validate({3, 3}));
  EXPECT_EQ(s.pairing(), Pairing::unpaired);
  const auto networks = s.networks({3, 3});
  ASSERT_EQ(networks.size(), 2U);
  EXPECT_EQ(networks[0].name, "g_a_to_b");
  EXPECT_EQ(networks[1].name, "d_b");
  EXPECT_EQ(parameter_count({networks[0]}), 11378179);
  EXPECT_EQ(parameter_count({networks[1]}), 2764737);
  EXPECT_EQ(s.images_kept(), 50);
  EXPECT_THAT(s.summary({3, 3}), ElementsAre(AllOf(HasSubstr("pixels"), HasSubstr("weight 1"))));
  EXPECT_EQ(s.preset("laptop", Json::object())["upsample"], "blur");
  EXPECT_TRUE(s.preset("paper", Json::object()).empty());
}

TEST(TransportSettingsTest, OptionsReachTheModel) {
  const TransportSettings settings = transport_settings({{"lambda_transport", 0.25},
                                                         {"transport_cost", "blocks"},
                                                         {"pool_size", 3},
                                                         {"critic_steps", 2},
                                                         {"norm", "instance_affine"},
                                                         {"norm_d", "batch"}});
  const OneWaySpec spec = settings.spec({1, 3}, {});
  EXPECT_EQ(settings.cost.transport_cost, kBlockCost);
  EXPECT_EQ(spec.beside->name, "transport_a");
  EXPECT_EQ(spec.beside->weight, 0.25);
  EXPECT_FALSE(spec.beside->residuals_of.empty()) << "it is of blocks";
  EXPECT_EQ(spec.one_way.pool_size, 3);
  EXPECT_EQ(spec.one_way.critic_steps, 2);
  EXPECT_EQ(spec.g_a_to_b.in_channels, 1);
  EXPECT_EQ(spec.g_a_to_b.out_channels, 3);
  EXPECT_EQ(spec.d_b.in_channels, 3);
  EXPECT_EQ(spec.d_b.norm, "batch");
}

TEST(TransportSettingsTest, WhatCannotBeTrainedIsRefused) {
  const auto refused = [](const Json& json, const DomainChannels& channels = {}) {
    return error_of<UsageError>([&] { transport_settings(json).validate(channels); });
  };
  EXPECT_THAT(refused(Json::object(), {3, 1}), HasSubstr("3 and 1 channels"));
  EXPECT_NO_THROW(
      transport_settings({{"transport_cost", "blocks"}, {"norm", "instance_affine"}}).validate({3, 1}));
  EXPECT_THAT(refused({{"transport_cost", "blocks"}}), HasSubstr("--norm instance_affine"));
  EXPECT_THAT(refused({{"transport_cost", "features"}}), HasSubstr("--transport-encoder"));
  EXPECT_THAT(refused({{"reverse_gan", 1}}), HasSubstr("resnet_9blocks has none"));
  EXPECT_THAT(refused({{"net_g", "identity"}}), HasSubstr("nothing to train"));
  EXPECT_THAT(refused({{"lambda_transport", -1}}), HasSubstr("lambda_transport"));
}

TEST(TransportSettingsTest, ItsFeaturesAreThoseOfTheFile) {
  const TestFolder folder;
  TransportSettings s = transport_settings({{"net_g", "resnet_1blocks"},
                                            {"ngf", 2},
                                            {"ndf", 2},
                                            {"transport_cost", "features"},
                                            {"transport_encoder", write_classifier(folder, 1).string()}});
  s.read_files();
  EXPECT_NO_THROW(s.validate({3, 1}));
  EXPECT_NO_THROW(s.make({3, 1}, {}, cpu(), 1));
  write_classifier(folder, 1, 7);
  EXPECT_THAT(error_of<UsageError>([&] { s.make({3, 1}, {}, cpu(), 1); }), HasSubstr("other weights"));
}

}  // namespace
}  // namespace torsor::testing
