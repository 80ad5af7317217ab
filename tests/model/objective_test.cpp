// The table of CycleGAN's terms: its values by hand on maps that are no networks, by term and by sample, and
// what of it goes through the generators together.
#include "model/objective.h"

#include <set>

#include "model/model_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum Picture;

using Names = std::vector<std::string>;

IdentityTerm identity_of(const CycleGanOptions& options) {
  std::string notice;
  return resolve_identity(options, 3, 3, notice);
}

std::vector<LossTerm> terms_of(const CycleGanOptions& options, const std::string& mode = "lsgan") {
  return generator_terms(options, gan_loss(mode), identity_of(options));
}

const LossTerm& term(const std::vector<LossTerm>& terms, const std::string& name) {
  for (const LossTerm& each : terms)
    if (each.name == name) return each;
  throw std::logic_error("no term " + name);
}

Names names_of(const std::vector<LossTerm>& terms) {
  Names out;
  for (const LossTerm& each : terms) out.push_back(each.name);
  return out;
}

/// Every term there is.
CycleGanOptions everything() {
  CycleGanOptions o;
  o.lambda_gan_cycle = 0.5;
  o.lambda_feature_cycle = 2;
  o.lambda_feature_identity = 3;
  return o;
}

TEST(ObjectiveTable, NamesTheReferencesTermsInItsOrderOfSummation) {
  CycleGanOptions off;
  off.lambda_gan_b = 0;
  off.lambda_identity = 0;
  for (const CycleGanOptions& o : {CycleGanOptions(), off})
    EXPECT_THAT(names_of(terms_of(o)),
                ElementsAre("g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b"));
  EXPECT_THAT(
      names_of(terms_of(everything())),
      ElementsAre("g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b", "gan_cycle_a",
                  "gan_cycle_b", "feature_cycle_a", "feature_cycle_b", "feature_idt_a", "feature_idt_b"));
}

TEST(ObjectiveTable, WeighsAsTheOptionsSay) {
  CycleGanOptions o = everything();
  o.lambda_cycle_a = 3;
  o.lambda_cycle_b = 7;
  o.lambda_gan = 4;
  o.lambda_gan_b = 0.25;
  const std::map<std::string, double> expected = {
      {"g_a_to_b", 4},        {"g_b_to_a", 0.25},     {"cycle_a", 3},       {"cycle_b", 7},
      {"idt_a", 3.5},         {"idt_b", 1.5},         {"gan_cycle_a", 0.5}, {"gan_cycle_b", 0.5},
      {"feature_cycle_a", 2}, {"feature_cycle_b", 2}, {"feature_idt_a", 3}, {"feature_idt_b", 3}};
  std::map<std::string, double> weights;
  for (const LossTerm& each : terms_of(o)) weights[each.name] = each.weight;
  EXPECT_EQ(weights, expected);
}

/// Two samples of four numbers, and maps simple enough to follow by hand: G doubles, F adds one, D_A sums a
/// sample, D_B takes its first number, features are squares and tripled values.
class ObjectiveByHand : public ::testing::Test {
 protected:
  static at::Tensor sums(const at::Tensor& x) { return x.flatten(1).sum(1, /*keepdim=*/true); }

  const at::Tensor a_ = at::tensor({0.0, 1.0, 2.0, 3.0, -1.0, 0.0, 1.0, 0.5}, at::kDouble).view({2, 1, 2, 2});
  const at::Tensor b_ = at::tensor({1.0, 1.0, 0.0, 0.0, 2.0, -2.0, 4.0, 1.0}, at::kDouble).view({2, 1, 2, 2});
  const CycleMaps maps_ = {[](const at::Tensor& x) { return 2 * x; },
                           [](const at::Tensor& y) { return y + 1; },
                           sums,
                           [](const at::Tensor& x) { return x.flatten(1).slice(1, 0, 1); },
                           [](const at::Tensor& x) { return x.square(); },
                           [](const at::Tensor& x) { return 3 * x; }};

  Pictures all_pictures() const {
    Pictures pictures(a_, b_);
    for (const Picture which : passes_to({rec_a, rec_b, same_a, same_b})) pictures.make(which, maps_);
    return pictures;
  }
  /// By sample as written, and their mean; the weight is not in them.
  void expect(const CycleGanOptions& o, const std::string& name, const std::vector<double>& each,
              const std::string& mode = "lsgan") const {
    const std::vector<LossTerm> terms = terms_of(o, mode);
    const Pictures pictures = all_pictures();
    const at::Tensor found = term(terms, name).per_sample(pictures, maps_);
    ASSERT_EQ(found.sizes(), at::IntArrayRef({2})) << name;
    for (std::int64_t i = 0; i < 2; ++i)
      EXPECT_NEAR(found[i].item<double>(), each[static_cast<std::size_t>(i)], kTolerance) << name << ' ' << i;
    const at::Tensor mean = term(terms, name).mean(pictures, maps_);
    EXPECT_EQ(mean.dim(), 0);
    EXPECT_NEAR(mean.item<double>(), (each[0] + each[1]) / 2, kTolerance) << name;
  }
};

TEST_F(ObjectiveByHand, Adversarial) {
  // fake_b = 2a: first numbers 0 and -2. fake_a = b + 1: sums 6 and 9.
  expect({}, "g_a_to_b", {1, 9});
  expect({}, "g_b_to_a", {25, 64});
  expect({}, "g_a_to_b", {0, 2}, "hinge");
  expect({}, "g_b_to_a", {-(36 / 4.0 + 6), -(81 / 4.0 + 9)}, "pearson");
}

TEST_F(ObjectiveByHand, Cycle) {
  // rec_a - a = a + 1; rec_b - b = b + 2.
  expect({}, "cycle_a", {(1 + 2 + 3 + 4) / 4.0, (0 + 1 + 2 + 1.5) / 4});
  expect({}, "cycle_b", {(3 + 3 + 2 + 2) / 4.0, (4 + 0 + 6 + 3) / 4.0});
  CycleGanOptions o;
  o.cycle_norm = "l2";
  expect(o, "cycle_a", {(1 + 4 + 9 + 16) / 4.0, (0 + 1 + 4 + 2.25) / 4});
  o.cycle_norm = "euclidean";
  expect(o, "cycle_a", {std::sqrt(30.0), std::sqrt(7.25)});
  expect(o, "cycle_b", {std::sqrt(26.0), std::sqrt(61.0)});
}

TEST_F(ObjectiveByHand, Identity) {
  // Target: G(b) - b = b, F(a) - a = 1. Source: G(a) - a = a, F(b) - b = 1.
  expect({}, "idt_a", {0.5, 9 / 4.0});
  expect({}, "idt_b", {1, 1});
  CycleGanOptions source;
  source.alpha_id = 1;
  expect(source, "idt_a", {6 / 4.0, 2.5 / 4});
  expect(source, "idt_b", {1, 1});
  source.cycle_norm = "euclidean";
  expect(source, "idt_a", {std::sqrt(14.0), 1.5});
  expect(source, "idt_b", {2, 2});
}

TEST_F(ObjectiveByHand, AdversarialCycle) {
  // rec_a = 2a + 1, whose sums are 16 and 5; rec_b = 2b + 2, whose first numbers are 4 and 6.
  expect(everything(), "gan_cycle_a", {225, 16});
  expect(everything(), "gan_cycle_b", {9, 25});
}

TEST_F(ObjectiveByHand, Features) {
  // Of A: (2a + 1)^2 - a^2 = (a + 1)(3a + 1). Of B: 3 (b + 2).
  expect(everything(), "feature_cycle_a", {(1 + 8 + 21 + 40) / 4.0, (0 + 1 + 8 + 1.5 * 2.5) / 4});
  expect(everything(), "feature_cycle_b", {3 * 10 / 4.0, 3 * 13 / 4.0});
  // Target: G(b) by the features of B, F(a) by those of A: (a + 1)^2 - a^2 = 2a + 1.
  expect(everything(), "feature_idt_a", {3 * 2 / 4.0, 3 * 9 / 4.0});
  expect(everything(), "feature_idt_b", {(1 + 3 + 5 + 7) / 4.0, (1 + 1 + 3 + 2) / 4.0});
  // Source: G(a) beside a, by the features of A: (2a)^2 - a^2 = 3 a^2.
  CycleGanOptions source = everything();
  source.alpha_id = 0;
  expect(source, "feature_idt_a", {3 * 14 / 4.0, 3 * 2.25 / 4});
  source.cycle_norm = "euclidean";
  expect(source, "feature_idt_a", {3 * std::sqrt(0 + 1 + 16 + 81), 3 * std::sqrt(1 + 0 + 1 + 0.0625)});
}

TEST_F(ObjectiveByHand, OfACompositionWithAnAutomorphismNeedsOtherMapsOnly) {
  const auto flipped = [](const at::Tensor& x) { return x.flip({3}); };
  CycleMaps composed = maps_;
  composed.a_to_b = [&](const at::Tensor& x) { return maps_.a_to_b(flipped(x)); };
  composed.b_to_a = [&](const at::Tensor& y) { return flipped(maps_.b_to_a(y)); };
  const std::vector<LossTerm> terms = terms_of({});
  Pictures plain = all_pictures(), other(a_, b_);
  for (const Picture which : passes_to({rec_a, rec_b})) other.make(which, composed);
  // The flip is undone, since these maps commute with it.
  EXPECT_TRUE(at::equal(term(terms, "cycle_a").per_sample(plain, maps_),
                        term(terms, "cycle_a").per_sample(other, composed)));
  EXPECT_FALSE(at::equal(term(terms, "g_a_to_b").per_sample(plain, maps_),
                         term(terms, "g_a_to_b").per_sample(other, composed)));
}

TEST_F(ObjectiveByHand, AnImageThatWasNotMadeIsAMistake) {
  const Pictures none(a_, b_);
  EXPECT_THROW(term(terms_of({}), "cycle_a").mean(none, maps_), std::logic_error);
  EXPECT_THROW(Pictures(a_, b_).make(rec_a, maps_), std::logic_error);
}

TEST_F(ObjectiveByHand, ReleasedPicturesKeepNoGraph) {
  const at::Tensor a = a_.clone().requires_grad_(true);
  Pictures pictures(a, b_);
  for (const Picture which : passes_to({rec_a})) pictures.make(which, maps_);
  EXPECT_TRUE(pictures[fake_b].requires_grad());
  pictures.release({fake_b, fake_a});
  EXPECT_FALSE(pictures[fake_b].requires_grad());
  EXPECT_THROW(pictures[rec_a], std::logic_error);
  EXPECT_TRUE(pictures[real_a].requires_grad());
}

TEST(ObjectivePasses, LeadToWhatIsWanted) {
  EXPECT_THAT(passes_to({}), IsEmpty());
  EXPECT_THAT(passes_to({real_b}), IsEmpty());
  EXPECT_THAT(passes_to({rec_b, fake_b}), ElementsAre(fake_b, fake_a, rec_b));
}

struct Grouped {
  std::vector<std::vector<Picture>> passes;
  std::vector<Names> terms;
};

Grouped groups_of(const CycleGanOptions& o, Grouping grouping = Grouping::grouped,
                  std::vector<Picture> also = {}) {
  const std::vector<LossTerm> terms = terms_of(o);
  Grouped out;
  for (const TermGroup& group : group_terms(terms, grouping, also)) {
    out.passes.push_back(group.passes);
    out.terms.emplace_back();
    for (const std::size_t place : group.terms) out.terms.back().push_back(terms[place].name);
  }
  return out;
}

using Passes = std::vector<std::vector<Picture>>;

TEST(ObjectiveGroups, FollowFromThePassesThatTermsShare) {
  const Grouped target = groups_of({});
  EXPECT_EQ(target.passes, (Passes{{fake_b, rec_a}, {fake_a, rec_b}, {same_b}, {same_a}}));
  EXPECT_THAT(target.terms, ElementsAre(Names{"g_a_to_b", "cycle_a"}, Names{"g_b_to_a", "cycle_b"},
                                        Names{"idt_a"}, Names{"idt_b"}));
  CycleGanOptions o;
  o.alpha_id = 1;
  const Grouped source = groups_of(o);
  EXPECT_EQ(source.passes, (Passes{{fake_b, rec_a}, {fake_a, rec_b}}));
  EXPECT_THAT(source.terms,
              ElementsAre(Names{"g_a_to_b", "cycle_a", "idt_a"}, Names{"g_b_to_a", "cycle_b", "idt_b"}));
  CycleGanOptions moving;
  moving.transport.lambda_transport = 1;
  EXPECT_EQ(groups_of(moving).passes, target.passes);
  EXPECT_THAT(groups_of(moving).terms,
              ElementsAre(Names{"g_a_to_b", "cycle_a", "transport_a"},
                          Names{"g_b_to_a", "cycle_b", "transport_b"}, Names{"idt_a"}, Names{"idt_b"}));
  const Grouped all = groups_of(everything());
  EXPECT_EQ(all.passes, target.passes);
  EXPECT_THAT(all.terms, ElementsAre(Names{"g_a_to_b", "cycle_a", "gan_cycle_a", "feature_cycle_a"},
                                     Names{"g_b_to_a", "cycle_b", "gan_cycle_b", "feature_cycle_b"},
                                     Names{"idt_a", "feature_idt_a"}, Names{"idt_b", "feature_idt_b"}));
}

TEST(ObjectiveGroups, JointIsOneInTheReferencesOrderOfPasses) {
  const Grouped joint = groups_of({}, Grouping::joint);
  EXPECT_EQ(joint.passes, (Passes{{fake_b, rec_a, fake_a, rec_b, same_b, same_a}}));
  EXPECT_THAT(joint.terms,
              ElementsAre(Names{"g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b"}));
  // Passes of the identity alone are the last, also where it is a translation's.
  CycleGanOptions o;
  o.alpha_id = 1;
  o.lambda_gan = o.lambda_cycle_a = 0;
  EXPECT_EQ(groups_of(o, Grouping::joint).passes, (Passes{{fake_a, rec_b, fake_b}}));
  EXPECT_EQ(groups_of(o).passes, (Passes{{fake_b}, {fake_a, rec_b}}));
}

TEST(ObjectiveGroups, RunWhatElseIsWantedWithNothingToLearn) {
  CycleGanOptions o;
  o.lambda_gan = o.lambda_cycle_a = 0;
  o.lambda_identity = 0;
  const Grouped needed = groups_of(o);
  EXPECT_EQ(needed.passes, (Passes{{fake_a, rec_b}}));
  const Grouped every = groups_of(o, Grouping::grouped, {rec_a});
  EXPECT_EQ(every.passes, (Passes{{fake_b, rec_a}, {fake_a, rec_b}}));
  EXPECT_THAT(every.terms, ElementsAre(Names{}, Names{"cycle_b"}));
}

/// S1-C1: one of the report's six losses left out; the reference's identity term is none of them.
struct LeftOut {
  std::string loss;
  std::function<void(CycleGanOptions&)> set;
  Passes passes;                    // that are left
  std::set<std::string> also_idle;  // what learns nothing without it
};
void PrintTo(const LeftOut& left_out, std::ostream* out) { *out << left_out.loss; }

class SixLosses : public ::testing::TestWithParam<LeftOut> {};

TEST_P(SixLosses, CanBeLeftOutAlone) {
  CycleGanOptions o;
  o.lambda_identity = 0;
  GetParam().set(o);
  std::set<std::string> on;
  for (const LossTerm& each : terms_of(o))
    if (each.on()) on.insert(each.name);
  const auto discriminators = discriminator_losses(o);
  for (const DiscriminatorLoss& each : discriminators)
    if (each.on()) on.insert(each.name);
  std::set<std::string> expected = {"g_a_to_b", "g_b_to_a", "d_a", "d_b", "cycle_a", "cycle_b"};
  expected.erase(GetParam().loss);
  for (const std::string& idle : GetParam().also_idle) expected.erase(idle);
  EXPECT_EQ(on, expected);
  EXPECT_EQ(groups_of(o, Grouping::grouped, pictures_for(discriminators)).passes, GetParam().passes);
}

const Passes kAllPasses = {{fake_b, rec_a}, {fake_a, rec_b}};

INSTANTIATE_TEST_SUITE_P(
    CycleGan, SixLosses,
    // A generator that does not listen leaves its discriminator without a purpose, unless that is given a
    // weight; the cycles need every pass.
    ::testing::Values(
        LeftOut{"g_a_to_b", [](CycleGanOptions& o) { o.lambda_gan_a = 0; }, kAllPasses, {"d_b"}},
        LeftOut{"g_b_to_a", [](CycleGanOptions& o) { o.lambda_gan_b = 0; }, kAllPasses, {"d_a"}},
        LeftOut{"d_a", [](CycleGanOptions& o) { o.lambda_d_a = 0; }, kAllPasses, {}},
        LeftOut{"d_b", [](CycleGanOptions& o) { o.lambda_d_b = 0; }, kAllPasses, {}},
        LeftOut{"cycle_a", [](CycleGanOptions& o) { o.lambda_cycle_a = 0; }, {{fake_b}, {fake_a, rec_b}}, {}},
        LeftOut{
            "cycle_b", [](CycleGanOptions& o) { o.lambda_cycle_b = 0; }, {{fake_b, rec_a}, {fake_a}}, {}}),
    [](const auto& test) { return test.param.loss; });

TEST(SixLossesTogether, ADirectionWithoutAdversaryOrCycleIsNotComputed) {
  CycleGanOptions o;
  o.lambda_identity = 0;
  o.lambda_gan_a = 0;
  o.lambda_cycle_a = 0;
  EXPECT_EQ(groups_of(o, Grouping::grouped, pictures_for(discriminator_losses(o))).passes,
            (Passes{{fake_a, rec_b}}));
}

TEST(DiscriminatorLosses, WeighAsWhatTheGeneratorsLearnFromThemUnlessTold) {
  CycleGanOptions o;
  o.lambda_gan = 3;
  o.lambda_gan_b = 0.5;
  o.lambda_gan_cycle = 2;
  const auto by_default = discriminator_losses(o);
  EXPECT_EQ(by_default[0].name, "d_a");
  EXPECT_EQ(by_default[0].of_fakes, 0.5);
  EXPECT_EQ(by_default[1].of_fakes, 3);
  EXPECT_EQ(by_default[1].of_recs, 2);
  EXPECT_THAT(pictures_for(by_default), ElementsAre(fake_a, rec_a, fake_b, rec_b));
  o.lambda_d_b = 0.25;
  EXPECT_EQ(discriminator_losses(o)[1].of_fakes, 0.25);
  EXPECT_EQ(discriminator_losses(o)[1].of_recs, 0.25);
  o.lambda_gan_cycle = 0;
  EXPECT_EQ(discriminator_losses(o)[1].of_recs, 0) << "nobody learns from scores of reconstructions";
  // A discriminator may learn for its features alone.
  o.lambda_gan = 0;
  EXPECT_TRUE(discriminator_losses(o)[1].on());
}

}  // namespace
}  // namespace torsor::testing
