// What narrows the set of solutions: anchors, a content encoder, a sparse Jacobian, discriminators that see
// classes. Their values by hand, what learns from them, and what they are not asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "loss/response_spread.h"
#include "model/class_planes.h"
#include "model/cures_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using enum Picture;

using Names = std::vector<std::string>;

// --- rows of the table ---

/// G doubles, F adds one, the encoder sums each channel.
class CuresByHand : public ::testing::Test {
 protected:
  std::vector<LossTerm> terms() const {
    std::string notice;
    return generator_terms(options_, gan_loss("lsgan"), resolve_identity(options_, 3, 3, notice));
  }
  void expect(const std::string& name, double weight, const std::vector<double>& each) const {
    for (const LossTerm& term : terms()) {
      if (term.name != name) continue;
      EXPECT_EQ(term.weight, weight);
      EXPECT_EQ(term.kind, TermKind::cure);
      const at::Tensor found = term.per_sample(pictures_, maps_);
      ASSERT_EQ(found.sizes(), at::IntArrayRef({2})) << name;
      for (std::int64_t i = 0; i < 2; ++i)
        EXPECT_NEAR(found[i].item<double>(), each[static_cast<std::size_t>(i)], kTolerance) << name << i;
      EXPECT_NEAR(term.mean(pictures_, maps_).item<double>(), (each[0] + each[1]) / 2, kTolerance) << name;
      return;
    }
    ADD_FAILURE() << "no term " << name;
  }
  static at::Tensor two(const std::vector<double>& values) {
    return at::tensor(values, at::kDouble).view({2, 1, 2, 2});
  }

  const CycleMaps maps_ = {[](const at::Tensor& x) { return 2 * x; },
                           [](const at::Tensor& y) { return y + 1; },
                           nullptr,
                           nullptr,
                           nullptr,
                           nullptr,
                           [](const at::Tensor& x) {
                             return x.sum({2, 3});
                           }};
  CycleGanOptions options_;
  Pictures pictures_{two({0, 1, 2, 3, -1, 0, 1, 0.5}), two({1, 1, 0, 0, 2, -2, 4, 1})};
};

TEST_F(CuresByHand, Anchors) {
  anchor(options_.cures);
  pictures_.give(anchor_a, two({1, 1, 1, 1, 2, 0, 0, 0}));
  pictures_.give(anchor_b, two({2, 2, 2, 0, 0, 0, 0, 1}));
  for (const Picture which : passes_to({anchored_a, anchored_b})) pictures_.make(which, maps_);
  // 2 a - b and b + 1 - a.
  expect("anchor_a_to_b", 10, {2 / 4.0, (4 + 1) / 4.0});
  expect("anchor_b_to_a", 10, {(2 + 2 + 2 + 0) / 4.0, (1 + 1 + 1 + 2) / 4.0});
  options_.cures.lambda_anchor = 3;
  options_.cycle_norm = "l2";
  expect("anchor_a_to_b", 3, {4 / 4.0, (16 + 1) / 4.0});
}

TEST_F(CuresByHand, Content) {
  options_.cures.content_encoder = "classifier";
  options_.cures.content_hash = "0";
  for (const Picture which : {fake_b, fake_a}) pictures_.make(which, maps_);
  // Sums of a are 6 and 0.5, doubled by G; F adds 4 to a sum.
  expect("content_a", 1, {6, 0.5});
  expect("content_b", 1, {4, 4});
  options_.cycle_norm = "euclidean";
  options_.cures.lambda_content = 0.5;
  expect("content_b", 0.5, {4, 4});
}

TEST_F(CuresByHand, Jacobian) {
  options_.cures.lambda_jacobian = 2;
  pictures_.give(nudged_a, pictures_[real_a] + two({0, 0, 0.5, 0, 0.3, 0.4, 0, 0}));
  pictures_.give(nudged_b, pictures_[real_b] + two({0, 0, 0, 1, 1, 1, 1, 1}));
  for (const Picture which : passes_to({fake_a, fake_b, moved_a, moved_b})) pictures_.make(which, maps_);
  const double no_answer = 0.01;
  expect("jacobian_a", 2, {1 / (2 * (1 + no_answer * 0.5)), 1.4 / (2 * (1 + no_answer * 0.5))});
  expect("jacobian_b", 2, {1 / (2 * (1 + no_answer)), 4 / (2 * (2 + no_answer * 2))});
}

TEST_F(CuresByHand, AreLastInTheTableAndOnlyWhereTheyAreOn) {
  const auto names = [&] {
    Names out;
    for (const LossTerm& term : terms()) out.push_back(term.name);
    return Names(out.begin() + 6, out.end());
  };
  EXPECT_THAT(names(), ElementsAre());
  anchor(options_.cures);
  options_.cures.content_encoder = options_.cures.content_hash = "0";
  options_.cures.lambda_jacobian = 1;
  EXPECT_THAT(names(), ElementsAre("anchor_a_to_b", "anchor_b_to_a", "content_a", "content_b", "jacobian_a",
                                   "jacobian_b"));
  options_.cures.lambda_anchor = options_.cures.lambda_content = 0;
  EXPECT_THAT(names(), ElementsAre("jacobian_a", "jacobian_b"));
}

TEST_F(CuresByHand, GroupTermsByThePassesThatTheyShare) {
  anchor(options_.cures);
  options_.cures.lambda_jacobian = 1;
  std::vector<std::vector<Picture>> passes;
  for (const TermGroup& group : group_terms(terms(), Grouping::grouped, {})) passes.push_back(group.passes);
  EXPECT_EQ(passes, (std::vector<std::vector<Picture>>{{fake_b, rec_a, moved_b},
                                                       {fake_a, rec_b, moved_a},
                                                       {same_b},
                                                       {same_a},
                                                       {anchored_b},
                                                       {anchored_a}}));
  const auto joint = group_terms(terms(), Grouping::joint, {});
  ASSERT_EQ(joint.size(), 1U);
  EXPECT_THAT(joint[0].passes, ElementsAre(fake_b, rec_a, fake_a, rec_b, same_b, same_a, anchored_b,
                                           anchored_a, moved_b, moved_a));
}

TEST_F(CuresByHand, WhatAPassMakesIsNotGiven) {
  EXPECT_THROW(pictures_.give(fake_b, pictures_[real_b]), std::logic_error);
  EXPECT_THROW(pictures_.make(anchored_b, maps_), std::logic_error) << "there is no anchor";
}

TEST_F(CuresByHand, ADiscriminatorSeesTheClassOfTheRealImageBehindAPicture) {
  for (const Picture which : passes_to({rec_a, rec_b})) pictures_.make(which, maps_);
  EXPECT_TRUE(pictures_.seen(fake_b).is_same(pictures_[fake_b])) << "no class, no copy";
  const auto planes = [](std::vector<std::int64_t> labels) {
    return class_planes(at::tensor(labels, at::kLong), 3, at::TensorOptions(at::kDouble));
  };
  const at::Tensor of_a = planes({0, 2}), of_b = planes({1, 1});
  pictures_.label(of_a, of_b);
  for (const auto& [which, expected] :
       {std::pair{real_a, of_a}, std::pair{fake_b, of_a}, std::pair{rec_a, of_a}, std::pair{real_b, of_b},
        std::pair{fake_a, of_b}, std::pair{rec_b, of_b}}) {
    const at::Tensor seen = pictures_.seen(which);
    ASSERT_EQ(seen.sizes(), at::IntArrayRef({2, 4, 2, 2}));
    EXPECT_TRUE(at::equal(seen.narrow(1, 0, 1), pictures_[which]));
    EXPECT_TRUE(at::equal(seen.narrow(1, 1, 3), expected.expand({2, 3, 2, 2})));
  }
  EXPECT_TRUE(at::equal(of_a.flatten(1), at::tensor({1, 0, 0, 0, 0, 1}, at::kDouble).view({2, 3})));
}

// --- the step ---

/// Every cure at once.
CycleGanSpec cured(const TestFolder& folder) {
  CycleGanSpec spec = tiny_spec();
  anchor(spec.cyclegan.cures);
  encode(spec, write_classifier(folder, 1));
  spec.cyclegan.cures.lambda_jacobian = 0.5;
  see_classes(spec);
  return spec;
}

TEST(CuredStep, FirstLossesAreTheirFormulas) {
  const TestFolder folder;
  CycleGanSpec spec = cured(folder);
  spec.cyclegan.cures.lambda_anchor = 3;
  spec.cyclegan.cures.lambda_content = 4;
  Rig rig(spec, cpu(at::kDouble));
  rig.batches.batch_size = 2;
  const Batch batch = rig.batches.at_index(0);
  const auto image = [&](const std::string& name) { return batch.at(name).to(at::kDouble); };
  const auto of = [&](const std::string& name, const at::Tensor& x) {
    const at::NoGradGuard no_grad;
    return network(rig.model, name)->forward(x);
  };
  const at::Tensor a = image("real_a"), b = image("real_b");
  RngStreams streams(rig.rng.seed());
  const at::Tensor asked_a = nudged(a, streams["jacobian"]), asked_b = nudged(b, streams["jacobian"]);
  const at::Tensor fake_b = of("g_a_to_b", a), fake_a = of("g_b_to_a", b);
  const double spread_a = response_spread(a, asked_a, fake_b, of("g_a_to_b", asked_a)).mean().item<double>();
  const double spread_b = response_spread(b, asked_b, fake_a, of("g_b_to_a", asked_b)).mean().item<double>();
  const double anchor_b_off = mean_absolute(of("g_a_to_b", image("anchor_a")), image("anchor_b"));
  const auto planes = [&](const std::string& name) {
    return class_planes(batch.at(name), NoiseBatches::kClasses, at::TensorOptions(at::kDouble));
  };
  const at::Tensor real_score = of("d_b", with_planes(b, planes("label_b"))),
                   fake_score = of("d_b", with_planes(fake_b, planes("label_a")));
  const double content_a = mean_absolute((*spec.encoder)(a), (*spec.encoder)(fake_b));
  const StepReport r = rig.step();
  EXPECT_NEAR(r.loss("anchor_a_to_b"), 3 * anchor_b_off, kTolerance);
  EXPECT_NEAR(r.loss("content_a"), 4 * content_a, kTolerance);
  EXPECT_NEAR(r.loss("jacobian_a"), 0.5 * spread_a, kTolerance);
  EXPECT_NEAR(r.loss("jacobian_b"), 0.5 * spread_b, kTolerance);
  EXPECT_NEAR(r.loss("g_a_to_b"), mean_square(fake_score, 1), kTolerance);
  EXPECT_NEAR(r.loss("d_b"), 0.5 * (mean_square(real_score, 1) + mean_square(fake_score, 0)), kTolerance);
}

// The generators learn from them; the discriminators, and what the encoder is, do not.
TEST(CuredStep, OnlyGeneratorsLearnFromThem) {
  const TestFolder folder;
  const auto gradients = [](const CycleGanSpec& spec) {
    Rig rig(spec);
    Spy spy(rig.model);
    rig.step(spy);
    return spy.gradients;
  };
  const auto without = gradients(tiny_spec());
  const std::vector<std::function<void(CycleGanSpec&)>> cures = {
      [](CycleGanSpec& spec) { anchor(spec.cyclegan.cures); },
      [&](CycleGanSpec& spec) { encode(spec, write_classifier(folder, 3)); },
      [](CycleGanSpec& spec) { spec.cyclegan.cures.lambda_jacobian = 1; }};
  for (std::size_t i = 0; i < cures.size(); ++i) {
    CycleGanSpec spec = tiny_spec();
    cures[i](spec);
    const auto with = gradients(spec);
    EXPECT_EQ(first_difference(only(with.at("opt_d"), "d_"), only(without.at("opt_d"), "d_")), "") << i;
    for (const char* generator : {"g_a_to_b", "g_b_to_a"})
      EXPECT_NE(first_difference(only(with.at("opt_g"), generator), only(without.at("opt_g"), generator)), "")
          << i << generator;
  }
}

// The mean of these losses over the first and over the last of some steps on the same images.
std::pair<double, double> before_and_after(CycleGanSpec spec, const Names& losses) {
  spec.cyclegan.lambda_gan = 0;
  spec.cyclegan.lambda_cycle_a = spec.cyclegan.lambda_cycle_b = 1e-9;
  spec.optimizer.lr = 2e-3;
  Rig rig(spec);
  const auto mean = [&](int steps) {
    double sum = 0;
    for (int i = 0; i < steps; ++i) {
      rig.batches.next_index = 0;
      const StepReport report = rig.step();
      for (const std::string& name : losses) sum += report.loss(name) / steps;
    }
    return sum;
  };
  const double first = mean(8);
  mean(60);
  return {first, mean(8)};
}

// A gradient of the wrong sign or in the wrong place would not do this.
TEST(CuredStep, TheyAreLearnt) {
  const TestFolder folder;
  CycleGanSpec anchored = tiny_spec(), encoded = tiny_spec(), sparse = tiny_spec();
  anchor(anchored.cyclegan.cures);
  encode(encoded, write_classifier(folder, 1));
  sparse.cyclegan.cures.lambda_jacobian = 1;
  for (const auto& [spec, losses] : {std::pair{anchored, Names{"anchor_a_to_b", "anchor_b_to_a"}},
                                     std::pair{encoded, Names{"content_a", "content_b"}},
                                     std::pair{sparse, Names{"jacobian_a", "jacobian_b"}}}) {
    const auto [first, last] = before_and_after(spec, losses);
    EXPECT_LT(last, 0.97 * first) << losses.front();
  }
}

TEST(CuredStep, NothingIsDrawnForACureThatIsOff) {
  Rig plain(tiny_spec());
  plain.step();
  EXPECT_THAT(plain.rng.save().dump(), ::testing::Not(HasSubstr("jacobian")));
  CycleGanSpec spec = tiny_spec();
  spec.cyclegan.cures.lambda_jacobian = 1;
  Rig cured(spec);
  cured.step();
  EXPECT_THAT(cured.rng.save().dump(), HasSubstr("jacobian"));
}

TEST(CuredStep, ContinuesFromAFile) {
  const TestFolder folder;
  const CycleGanSpec spec = [&] {
    CycleGanSpec out = cured(folder);
    out.cyclegan.pool_size = 2;
    return out;
  }();
  Rig whole(spec), rest(spec, cpu(), 2);
  expect_continues_from_a_file(whole, rest);
}

TEST(CuredStep, JointAndGroupedAgree) {
  const TestFolder folder;
  const auto outcome = [&](const std::string& backward) {
    CycleGanSpec spec = cured(folder);
    spec.cyclegan.backward = backward;
    spec.cyclegan.lambda_gan_cycle = 0.5;
    spec.cyclegan.lambda_feature_cycle = spec.cyclegan.lambda_feature_identity = 1;
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

TEST(CuredStep, WhatCannotGoTogetherIsRefused) {
  const auto refusal = [](const CycleGanSpec& spec, const Placement& placement = cpu()) {
    return error_of<UsageError>([&] { CycleGan(spec, placement, 1); });
  };
  CycleGanSpec sparse = tiny_spec();
  sparse.cyclegan.cures.lambda_jacobian = 1;
  Placement bf16 = cpu();
  bf16.autocast = true;
  EXPECT_THAT(refusal(sparse, bf16), AllOf(HasSubstr("--lambda-jacobian"), HasSubstr("bf16")));
  sparse.g_b_to_a.dropout = true;
  EXPECT_THAT(refusal(sparse), AllOf(HasSubstr("--lambda-jacobian"), HasSubstr("dropout")));
  CycleGanSpec classes = tiny_spec();
  see_classes(classes);
  classes.gan.gan_mode = "wgangp";
  EXPECT_THAT(refusal(classes), AllOf(HasSubstr("--labels-a"), HasSubstr("wgangp")));
}

}  // namespace
}  // namespace torsor::testing
