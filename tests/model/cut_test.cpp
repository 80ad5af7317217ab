// The CUT step: its losses against their formulas, what each update touches and in which order, mirrored
// images, what it remembers.
#include "model/cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "loss/patch_nce.h"
#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

using at::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kTolerance = 1e-11;  // double precision, sums in another order

CutSpec tiny_cut() {
  CutSpec spec;
  spec.g_a_to_b.net_g = "resnet_2blocks";
  spec.g_a_to_b.ngf = spec.d_b.ndf = 4;
  spec.g_a_to_b.downsample = spec.g_a_to_b.upsample = spec.d_b.downsample = "blur";
  spec.d_b.net_d = "n_layers";
  spec.d_b.n_layers_d = 1;
  spec.init = {"kaiming", 1};
  spec.cut.nce_layers = "0,4,12,13";
  spec.cut.nce_width = 8;
  spec.cut.num_patches = 20;  // more than the blocks' maps have pixels
  return spec;
}

/// Draws that are the same for every step: the first pixels from the end, and this number.
struct FixedDraws : CutDraws {
  explicit FixedDraws(double number) : number(number) {}
  double mirror() override { return number; }
  std::vector<std::int64_t> patches(std::int64_t n, std::int64_t count) override {
    asked.emplace_back(n, count);
    std::vector<std::int64_t> out;
    for (std::int64_t i = 0; i < count; ++i) out.push_back(n - 1 - i);
    return out;
  }
  double number;
  std::vector<std::pair<std::int64_t, std::int64_t>> asked;
};

struct CutRig : RigOf<Cut> {
  explicit CutRig(const CutSpec& spec, const Placement& placement = cpu(at::kDouble), std::uint64_t seed = 1)
      : RigOf(spec, placement, seed) {
    batches.batch_size = 2;
  }
  FixedDraws& fix_draws(double number = 0.9) {
    auto fixed = std::make_unique<FixedDraws>(number);
    FixedDraws& draws = *fixed;
    model.set_draws(std::move(fixed));
    return draws;
  }
  Generator& g() { return dynamic_cast<Generator&>(*network(model, "g_a_to_b")); }
  Network& d() { return *network(model, "d_b"); }
  PatchFeatures& f() { return dynamic_cast<PatchFeatures&>(*network(model, "f_a_to_b")); }
  Tensor real(const char* name) const { return batches.at_index(0).at(name).to(at::kDouble); }
};

enum class Mirror { no, yes };

/// The contrastive loss as it is written in the paper, with FixedDraws' patches.
Tensor nce_by_hand(CutRig& rig, const Tensor& source, const Tensor& target, Mirror mirror) {
  const CutOptions& o = rig.model.spec().cut;
  const auto layers = whole_numbers(o.nce_layers, "nce_layers");
  const auto of_source = rig.g().features(source, layers), of_target = rig.g().features(target, layers);
  Tensor total = at::zeros({}, at::kDouble);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::int64_t height = of_source[i].size(2), width = of_source[i].size(3), n = height * width;
    for (std::int64_t image = 0; image < source.size(0); ++image) {
      std::vector<Tensor> queries, keys;
      for (std::int64_t p = n - 1; p >= std::max<std::int64_t>(0, n - o.num_patches); --p) {
        const std::int64_t y = p / width, x = p % width;
        const std::int64_t across = mirror == Mirror::yes ? width - 1 - x : x;
        queries.push_back(of_target[i][image].select(2, across).select(1, y));
        keys.push_back(of_source[i][image].select(2, x).select(1, y));
      }
      const Tensor q = rig.f().project(i, at::stack(queries)), k = rig.f().project(i, at::stack(keys));
      total = total + patch_nce(q, k, 1, o.nce_t).mean();
    }
  }
  return total * o.lambda_nce / static_cast<double>(layers.size() * static_cast<std::size_t>(source.size(0)));
}

TEST(CutStep, NamesItsLossesInOrderAndTellsWhatItConsumed) {
  CutRig rig(tiny_cut());
  const StepReport report = rig.step();
  std::vector<std::string> names;
  for (const auto& [name, value] : report.losses) {
    names.push_back(name);
    EXPECT_GT(value, 0) << name;
  }
  EXPECT_THAT(names, ElementsAre("g_a_to_b", "d_real", "d_fake", "g", "nce", "nce_y"));
  EXPECT_EQ(names, rig.model.loss_names());
  EXPECT_EQ(report.images, 2);
  EXPECT_EQ(report.batches, 1);
  EXPECT_THAT(report.items, ElementsAre("a0", "b0"));
}

TEST(CutStep, ThereIsOneDirectionOnly) {
  CutRig rig(tiny_cut());
  std::vector<std::string> networks, optimizers;
  for (const auto& [name, network] : rig.model.networks()) networks.push_back(name);
  for (const Optimizer* optimizer : rig.model.optimizers()) optimizers.push_back(optimizer->name());
  EXPECT_THAT(networks, ElementsAre("g_a_to_b", "d_b", "f_a_to_b"));
  EXPECT_THAT(optimizers, ElementsAre("opt_g", "opt_d", "opt_f"));
}

TEST(CutStep, FirstLossesAreTheirFormulas) {
  for (const auto& [mirror, number] : {std::pair{Mirror::no, 0.5}, {Mirror::yes, 0.499}}) {
    CutSpec spec = tiny_cut();
    spec.cut.flip_equivariance = true;
    spec.cut.lambda_nce = 3;
    spec.cut.lambda_gan = 2;
    spec.cut.nce_t = 0.3;
    CutRig rig(spec), twin(spec);
    rig.fix_draws(number);
    const StepReport r = rig.step();
    const at::NoGradGuard no_grad;
    const Tensor a = twin.real("real_a"), b = twin.real("real_b");
    const auto turned = [&](const Tensor& x) { return mirror == Mirror::yes ? x.flip(3) : x; };
    const Tensor fake = twin.g().forward(turned(a)), idt = twin.g().forward(turned(b));
    const double nce = nce_by_hand(twin, a, fake, mirror).item<double>(),
                 nce_y = nce_by_hand(twin, b, idt, mirror).item<double>(),
                 d_fake = twin.d().forward(fake).pow(2).mean().item<double>(),
                 d_real = (twin.d().forward(b) - 1).pow(2).mean().item<double>(),
                 gan = 2 * (rig.d().forward(fake) - 1).pow(2).mean().item<double>();  // stepped
    EXPECT_NEAR(r.loss("nce"), nce, kTolerance);
    EXPECT_NEAR(r.loss("nce_y"), nce_y, kTolerance);
    EXPECT_NEAR(r.loss("d_fake"), d_fake, kTolerance);
    EXPECT_NEAR(r.loss("d_real"), d_real, kTolerance);
    EXPECT_NEAR(r.loss("g_a_to_b"), gan, kTolerance);
    EXPECT_NEAR(r.loss("g"), gan + 0.5 * (nce + nce_y), kTolerance);
    EXPECT_GT(
        std::abs(nce -
                 nce_by_hand(twin, a, fake, mirror == Mirror::yes ? Mirror::no : Mirror::yes).item<double>()),
        1e-6)
        << "which way patches are compared makes a difference";
  }
}

// A generator whose kernels are their own mirror images, on images of one column more than a multiple of the
// halvings: its encoder commutes with mirrors, and so does comparing a picture with itself.
TEST(CutStep, AnEncoderThatCommutesWithMirrorsSeesNoDifference) {
  CutRig rig(tiny_cut());
  const at::NoGradGuard no_grad;
  for (const auto& parameter : rig.g().named_parameters())
    if (parameter.value().dim() == 4)
      parameter.value().copy_((parameter.value() + parameter.value().flip(3)) / 2);
  const Tensor x = image_noise({2, 3, 17, 17}, 5);
  const double same = nce_by_hand(rig, x, x, Mirror::no).item<double>(),
               across = nce_by_hand(rig, x, x.flip(3), Mirror::yes).item<double>();
  EXPECT_NEAR(same, across, 1e-9);
  EXPECT_GT(nce_by_hand(rig, x, x.flip(3), Mirror::no).item<double>(), same + 1e-3);
}

TEST(CutStep, TheDiscriminatorStepsFirstThenGeneratorAndProjectionWithKeysAsConstants) {
  CutSpec spec = tiny_cut();
  spec.cut.flip_equivariance = true;
  CutRig rig(spec), twin(spec);
  rig.fix_draws(0.1);
  Spy spy(rig.model);
  rig.step(spy);
  EXPECT_THAT(spy.order, ElementsAre("opt_d", "opt_g", "opt_f"));
  EXPECT_TRUE(only(spy.gradients["opt_d"], "g_").empty()) << "its loss does not reach the generator";
  EXPECT_EQ(first_difference(only(spy.gradients["opt_d"], "d_"), only(spy.gradients["opt_g"], "d_")), "");

  const Tensor a = twin.real("real_a"), b = twin.real("real_b");
  const Tensor fake = twin.g().forward(a.flip(3)), idt = twin.g().forward(b.flip(3));
  load_state_dict(twin.d(), state_dict(rig.d()), "stepped");
  // patch_nce() takes no gradient through keys; all else is in the graph.
  const Tensor total =
      (twin.d().forward(fake) - 1).pow(2).mean() +
      0.5 * (nce_by_hand(twin, a, fake, Mirror::yes) + nce_by_hand(twin, b, idt, Mirror::yes));
  total.backward();
  for (const char* name : {"g_a_to_b", "f_a_to_b"}) {
    const auto gradients = spy.gradients[name[0] == 'g' ? "opt_g" : "opt_f"];
    for (const auto& parameter : network(twin.model, name)->named_parameters()) {
      const std::string key = std::string(name) + " " + parameter.key();
      EXPECT_TRUE(at::allclose(gradients.at(key), parameter.value().grad(), 1e-7, 1e-9)) << key;
    }
  }
}

// One image: where libtorch's instance norm goes wrong by gradients in another layout.
TEST(CutStep, GradientsOfOneImageAreThoseOfFiniteDifferences) {
  CutSpec spec = tiny_cut();
  spec.cut.lambda_gan = 0;
  const auto loss = [&](std::int64_t moved, double by, GradientSync& sync) {
    CutRig rig(spec);
    rig.batches.batch_size = 1;
    rig.fix_draws();
    const at::NoGradGuard no_grad;
    // Behind the last layer that is compared, so that keys do not move with it.
    rig.g().named_parameters()["model.15.weight"].view(-1)[moved] += by;
    const at::AutoGradMode with_grad(true);
    return rig.step(sync).loss("g");
  };
  struct : GradientSync {
    void sync(Optimizer&) override {}
  } nothing;
  CutRig rig(spec);
  rig.batches.batch_size = 1;
  rig.fix_draws();
  Spy spy(rig.model);
  rig.step(spy);
  const Tensor gradient = spy.gradients["opt_g"].at("g_a_to_b model.15.weight").contiguous().view(-1);
  for (const std::int64_t i : {0, 100, 200}) {
    constexpr double kStep = 1e-6;
    const double slope = (loss(i, kStep, nothing) - loss(i, -kStep, nothing)) / (2 * kStep);
    EXPECT_NEAR(gradient[i].item<double>(), slope, 1e-4 * std::abs(slope) + 1e-7) << i;
  }
}

TEST(CutStep, PatchesAreDrawnForEachLayerOfEachTerm) {
  CutRig rig(tiny_cut());
  FixedDraws& draws = rig.fix_draws();
  rig.step();
  using P = std::pair<std::int64_t, std::int64_t>;
  // Of the padded image, the second convolution and two blocks; all pixels where there are fewer.
  EXPECT_THAT(draws.asked, ElementsAre(P{484, 20}, P{256, 20}, P{16, 16}, P{16, 16}, P{484, 20}, P{256, 20},
                                       P{16, 16}, P{16, 16}));
}

TEST(CutStep, NegativesOfTheBatchAreThoseOfAllImages) {
  CutSpec spec = tiny_cut();
  CutRig own(spec);
  own.fix_draws();
  spec.cut.nce_negatives = "batch";
  CutRig all(spec), one(spec);
  all.fix_draws();
  EXPECT_GT(all.step().loss("nce"), own.step().loss("nce"));
  one.batches.batch_size = 1;
  one.fix_draws();
  spec.cut.nce_negatives = "image";
  CutRig single(spec);
  single.batches.batch_size = 1;
  single.fix_draws();
  EXPECT_EQ(one.step().losses, single.step().losses);
}

TEST(CutStep, FastLeavesTheIdentityTermOut) {
  CutSpec spec = tiny_cut();
  const std::string layers = spec.cut.nce_layers;
  spec.cut = CutOptions::fast();
  spec.cut.nce_layers = layers;
  CutRig rig(spec);
  FixedDraws& draws = rig.fix_draws();
  const StepReport report = rig.step();
  EXPECT_THAT(rig.model.loss_names(), ElementsAre("g_a_to_b", "d_real", "d_fake", "g", "nce"));
  EXPECT_NEAR(report.loss("g"), report.loss("g_a_to_b") + report.loss("nce"), kTolerance);
  EXPECT_EQ(draws.asked.size(), 4u);
  EXPECT_EQ(rig.model.sample(rig.batches.at_index(0))[0].size(), 3u);
}

TEST(CutStep, WithoutAdversaryItsDiscriminatorRests) {
  CutSpec spec = tiny_cut();
  spec.cut.lambda_gan = 0;
  CutRig rig(spec);
  const Weights before = weights_of(rig.model);
  const StepReport report = rig.step();
  EXPECT_EQ(report.loss("d_real"), 0);
  EXPECT_EQ(report.loss("g_a_to_b"), 0);
  EXPECT_NEAR(report.loss("g"), 0.5 * (report.loss("nce") + report.loss("nce_y")), kTolerance);
  const Weights after = weights_of(rig.model);
  EXPECT_EQ(first_difference(before, after, "d_b"), "");
  EXPECT_NE(first_difference(before, after, "g_a_to_b"), "");
  EXPECT_NE(first_difference(before, after, "f_a_to_b"), "");
}

TEST(CutStep, ThePenaltyIsPartOfTheCriticsLossOnly) {
  CutSpec spec = tiny_cut();
  spec.gan.gan_mode = "wgangp";
  CutRig rig(spec);
  EXPECT_GT(rig.step().loss("gradient_penalty"), 0);
  spec.gan.gp_weight = 0;
  CutRig without(spec);
  EXPECT_EQ(without.model.loss_names().back(), "nce_y");
}

TEST(CutStep, ASampleIsOneRowAndLeavesTheModelAlone) {
  CutSpec spec = tiny_cut();
  spec.g_a_to_b.norm = "batch";
  CutRig rig(spec);
  const Weights before = weights_of(rig.model);
  const Json streams = rig.rng.save();
  const auto rows = rig.model.sample(rig.batches.at_index(0));
  ASSERT_EQ(rows.size(), 1u);
  std::vector<std::string> labels;
  for (const auto& [label, images] : rows[0]) labels.push_back(label);
  EXPECT_THAT(labels, ElementsAre("real_a", "fake_b", "real_b", "idt_b"));
  EXPECT_EQ(first_difference(before, weights_of(rig.model)), "");
  EXPECT_EQ(rig.rng.save(), streams);
  rig.g().eval();
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(rows[0][1].images, rig.g().forward(rig.real("real_a"))));
  EXPECT_TRUE(at::equal(rows[0][3].images, rig.g().forward(rig.real("real_b"))));
}

TEST(CutStep, WhatCannotBeTrainedIsRefused) {
  const auto error = [](const std::function<void(CutSpec&)>& change) {
    CutSpec spec = tiny_cut();
    change(spec);
    return error_of<UsageError>([&] { Cut(spec, cpu(), 1); });
  };
  EXPECT_THAT(error([](CutSpec& s) { s.g_a_to_b.net_g = "unet_128"; }),
              AllOf(HasSubstr("--net-g unet_128"), HasSubstr("resnet")));
  EXPECT_THAT(error([](CutSpec& s) { s.g_a_to_b.out_channels = 1; }),
              AllOf(HasSubstr("3 channels"), HasSubstr("B has 1"), HasSubstr("--channels-b")));
  EXPECT_THAT(error([](CutSpec& s) { s.cut.nce_layers = "0,99"; }),
              AllOf(HasSubstr("--nce-layers 0,99"), HasSubstr("0 to 24")));
  EXPECT_THAT(error([](CutSpec& s) { s.cut.nce_layers = "4,0"; }), HasSubstr("ascend"));
  EXPECT_THAT(error([](CutSpec& s) { s.cut.nce_layers = "4,4"; }), HasSubstr("ascend"));
}

TEST(StreamCutDrawsTest, PatchesAreDifferentPlacesAndComeFromTheirOwnStream) {
  RngStreams streams(3), others(3);
  others["mirror"].uniform();
  StreamCutDraws draws(streams), second(others);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 50; ++i) {
    const auto ids = draws.patches(10, 4);
    EXPECT_EQ(ids, second.patches(10, 4));
    EXPECT_EQ(std::set<std::int64_t>(ids.begin(), ids.end()).size(), 4u);
    EXPECT_GE(*std::min_element(ids.begin(), ids.end()), 0);
    EXPECT_LT(*std::max_element(ids.begin(), ids.end()), 10);
    seen.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(draws.patches(5, 5).size(), 5u);
}

struct CutContinuation {
  std::string name;
  std::function<void(CutSpec&)> set;
  Placement placement = cpu();
};
void PrintTo(const CutContinuation& c, std::ostream* out) { *out << c.name; }

class CutContinuations : public ::testing::TestWithParam<CutContinuation> {};

TEST_P(CutContinuations, TwoStepsAndTwoStepsAreFour) {
  CutSpec spec = tiny_cut();
  GetParam().set(spec);
  CutRig whole(spec, GetParam().placement, /*seed=*/1), rest(spec, GetParam().placement, /*seed=*/99);
  expect_continues_from_a_file(whole, rest);
}

INSTANTIATE_TEST_SUITE_P(Cut, CutContinuations,
                         ::testing::Values(CutContinuation{"adam", [](CutSpec&) {}},
                                           CutContinuation{"fast",
                                                           [](CutSpec& s) {
                                                             s.cut.flip_equivariance = true;
                                                             s.cut.nce_idt = false;
                                                           }},
                                           CutContinuation{"dropout_and_batch_norm",
                                                           [](CutSpec& s) {
                                                             s.g_a_to_b.dropout = true;
                                                             s.g_a_to_b.norm = s.d_b.norm = "batch";
                                                           }},
                                           CutContinuation{"fp64", [](CutSpec&) {}, cpu(at::kDouble)}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace torsor::testing
