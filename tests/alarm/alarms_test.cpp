// Each alarm on planted evidence, on both sides of its threshold.
#include "alarm/alarms.h"

#include <limits>

#include "alarm/border_lines.h"
#include "alarm/planted_evidence.h"
#include "core/options.h"
#include "data/generated.h"
#include "data/tensor_image.h"
#include "test_support.h"
#include "train/alarm_options.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> found(const Evidence& evidence) {
  std::vector<std::string> out;
  for (const auto& [name, finding] : look_for_all(evidence))
    if (finding) out.push_back(name);
  return out;
}

double score(const std::string& alarm, const Evidence& evidence) {
  const auto finding = look_for_all(evidence).at(alarm);
  return finding ? finding->score : std::numeric_limits<double>::quiet_NaN();
}

UnitImages unit_images(const ImageSource& source) {
  UnitImages out;
  for (std::int64_t i = 0; i < source.size(); ++i) out.push_back((to_tensor(source.read(i), {}) + 1) / 2);
  return out;
}

UnitImages drawn(const std::string& task, Domain domain, Split split = Split::train) {
  return unit_images(*make_generated_source(task, domain, split, 5, 8, 64));
}

TEST(Alarms, AreSilentOnWhatIsWell) {
  EXPECT_THAT(found(healthy()), IsEmpty());
  Evidence least = healthy();  // one direction, no discriminator with a scale
  least.round_trip.reset();
  least.discriminator.reset();
  EXPECT_THAT(found(least), IsEmpty());
  EXPECT_THAT(found({}), IsEmpty());
}

TEST(Alarms, AreSilentOnRightTranslationsOfGeneratedImages) {
  for (const char* task : {"circles-squares", "solid-striped", "t1-flair"}) {
    Evidence evidence = healthy();
    evidence.inputs = drawn(task, Domain::a);
    evidence.targets = drawn(task, Domain::b);
    evidence.outputs = unit_images(*make_generated_partners(task, Split::train, 5, 8, 64));
    EXPECT_THAT(found(evidence), IsEmpty()) << task;
    std::swap(evidence.inputs, evidence.outputs);
    evidence.targets = drawn(task, Domain::a, Split::test);
    EXPECT_THAT(found(evidence), IsEmpty()) << task << " back";
  }
}

TEST(Alarms, AreInTheHelp) {
  AlarmOptions options;
  OptionSet set;
  options.describe(set);
  for (const std::string& name : alarms().names()) {
    EXPECT_THAT(set.find("stop_on")->help(), ::testing::HasSubstr(name));
    EXPECT_GE(alarms().at(name).looks, 1);
  }
}

TEST(NonFinite, IsAllThatIsSaidOfSuchOutputs) {
  Evidence evidence = healthy();
  evidence.outputs = evidence.inputs;  // a no-op as well
  evidence.outputs[2] = at::full({3, 64, 64}, std::numeric_limits<double>::quiet_NaN());
  evidence.outputs[5] = at::full({3, 64, 64}, std::numeric_limits<double>::infinity());
  EXPECT_THAT(found(evidence), ElementsAre("non_finite"));
  EXPECT_EQ(score("non_finite", evidence), 2);
}

TEST(Blank, IsTwoOfEightThatShowNothing) {
  Evidence evidence = healthy();
  evidence.outputs[0] = at::full({3, 64, 64}, 0.3);
  EXPECT_THAT(found(evidence), IsEmpty());
  evidence.outputs[4] = evidence.outputs[4] * 0.05 + 0.5;  // a trace is left
  EXPECT_THAT(found(evidence), ElementsAre("blank"));
  EXPECT_DOUBLE_EQ(score("blank", evidence), 0.25);
  evidence.targets[0] = evidence.targets[1] = at::zeros({3, 64, 64});  // as in the target domain
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(Blank, ComesWithoutCollapse) {
  Evidence evidence = healthy();
  for (at::Tensor& output : evidence.outputs) output = at::zeros_like(output);
  EXPECT_THAT(found(evidence), ElementsAre("blank"));
}

TEST(Collapse, IsOneOutputForAll) {
  Evidence evidence = healthy();
  const UnitImages same(8, pictures(9, 1).front()), others = pictures(3);
  evidence.outputs = mixed(others, same, 0.15);
  EXPECT_THAT(found(evidence), ElementsAre("collapse"));
  EXPECT_NEAR(score("collapse", evidence), 0.15, 0.02);
  evidence.outputs = mixed(others, same, 0.25);
  EXPECT_THAT(found(evidence), IsEmpty());
  evidence.outputs = evidence.targets = mixed(others, same, 0.1);  // the target domain has no more variety
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(Saturated, IsALossNearPerfection) {
  Evidence evidence = healthy();
  evidence.discriminator = 0.021;
  EXPECT_THAT(found(evidence), IsEmpty());
  evidence.discriminator = 0.019;
  EXPECT_THAT(found(evidence), ElementsAre("saturated"));
  EXPECT_GT(alarms().at("saturated").looks, alarms().at("blank").looks) << "for long";
}

TEST(Inversion, IsANegativeThatNobodyAskedFor) {
  Evidence evidence = healthy();  // domains of like brightness, as horses and zebras
  evidence.outputs = negatives(evidence.inputs);
  EXPECT_THAT(found(evidence), ElementsAre("inversion"));
  EXPECT_NEAR(score("inversion", evidence), -1, 1e-6);
  evidence.outputs = mixed(negatives(evidence.inputs), pictures(3), 0.65);
  EXPECT_THAT(found(evidence), ElementsAre("inversion"));
  evidence.outputs = mixed(negatives(evidence.inputs), pictures(3), 0.3);
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(Inversion, IsAskedForByNegativesOfDigits) {
  Evidence evidence = healthy();
  evidence.inputs = drawn("glyphs", Domain::a);
  evidence.outputs = negatives(evidence.inputs);
  evidence.targets = negatives(drawn("glyphs", Domain::b));
  EXPECT_THAT(found(evidence), IsEmpty());
  evidence.targets = drawn("glyphs", Domain::b);  // of digits themselves it is not
  EXPECT_THAT(found(evidence), ElementsAre("inversion"));
}

// Tissue is bright in one contrast where it is dark in the other, on the black background of both: that of a
// slice, and none in a crop of its middle, whose histogram asks for it.
TEST(Inversion, IsAskedForByTheContrastsOfTheBrain) {
  const at::Tensor radius = at::linspace(-1, 1, 64).square();
  for (const double reach : {0.5, 1.0, 1.6, 3.0}) {
    const at::Tensor inside = radius.unsqueeze(0) + radius.unsqueeze(1) < reach;
    const auto slices = [&](const UnitImages& tissue, double offset, double slope) {
      UnitImages out;
      for (const at::Tensor& image : tissue)
        out.push_back(at::where(inside, offset + slope * image.mean(0, /*keepdim=*/true).pow(0.4), 0.0));
      return out;
    };
    Evidence evidence = healthy();
    evidence.inputs = slices(pictures(1), 0, 1);
    evidence.outputs = slices(pictures(1), 1, -0.9);
    evidence.targets = slices(pictures(2), 1, -0.9);
    EXPECT_THAT(found(evidence), IsEmpty()) << reach;
  }
}

TEST(Inversion, IsAskedForByPartners) {
  Evidence evidence = healthy();
  evidence.outputs = negatives(evidence.inputs);
  evidence.targets = mixed(evidence.outputs, pictures(4), 0.6);
  EXPECT_THAT(found(evidence), ElementsAre("inversion")) << "unpaired images ask for nothing";
  evidence.pairing = Pairing::aligned;
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(NoOp, IsAChangeThatNobodySees) {
  Evidence evidence = healthy();
  evidence.outputs = mixed(evidence.inputs, pictures(3), 0.97);
  EXPECT_THAT(found(evidence), ElementsAre("no_op"));
  evidence.outputs = mixed(evidence.inputs, pictures(3), 0.8);
  EXPECT_THAT(found(evidence), IsEmpty());
  for (std::size_t i = 0; i < evidence.outputs.size(); ++i) {  // one small thing changes
    evidence.outputs[i] = evidence.inputs[i].clone();
    evidence.outputs[i].slice(1, 20, 26).slice(2, 30, 36).fill_(i % 2);
  }
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(NoOp, NeedsAsManyChannels) {
  Evidence evidence = healthy();
  evidence.outputs.clear();
  for (const at::Tensor& image : evidence.inputs) evidence.outputs.push_back(image.mean(0, /*keepdim=*/true));
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(Border, IsALineAlongASide) {
  Evidence evidence = healthy();
  for (at::Tensor& output : evidence.outputs) output.slice(1, 61, 62).fill_(1);
  EXPECT_THAT(found(evidence), ElementsAre("border"));
  for (at::Tensor& target : evidence.targets) target.slice(1, 61, 62).fill_(1);  // frames of the domain
  EXPECT_THAT(found(evidence), IsEmpty());
}

TEST(Border, LinesScoreByTheirPlace) {
  const at::Tensor picture = pictures(6, 1).front();
  const auto with_column = [&](std::int64_t column) {
    at::Tensor out = picture.clone();
    out.select(2, column).fill_(1);
    return border_line_score(out);
  };
  EXPECT_LT(border_line_score(picture), 4);
  EXPECT_GT(with_column(2), 8);
  EXPECT_GT(with_column(62), 8);
  EXPECT_LT(with_column(30), 2) << "a line inside is part of the picture";
  auto generator = at::make_generator<at::CPUGeneratorImpl>(3);
  EXPECT_LT(border_line_score(at::rand({3, 64, 64}, generator, at::TensorOptions(at::kFloat))), 4)
      << "texture is no line";
  EXPECT_EQ(border_line_score(at::rand({3, 8, 64})), 0);
  EXPECT_EQ(border_line_score(at::full({1, 64, 64}, 0.5)), 0);
}

TEST(Hidden, IsAReconstructionThatRoundingBreaks) {
  Evidence evidence = healthy();
  evidence.round_trip = RoundTrip{0.02, 0.021, 0.05};
  EXPECT_THAT(found(evidence), ElementsAre("hidden"));
  EXPECT_NEAR(score("hidden", evidence), 2.5, 1e-9);
  evidence.round_trip = RoundTrip{0.02, 0.05, 0.021};
  EXPECT_THAT(found(evidence), ElementsAre("hidden"));
  evidence.round_trip = RoundTrip{0.02, 0.03, 0.039};
  EXPECT_THAT(found(evidence), IsEmpty());
  evidence.round_trip = RoundTrip{0.001, 0.003, 0.009};  // none of these errors is seen
  EXPECT_THAT(found(evidence), IsEmpty());
}

}  // namespace
}  // namespace torsor::testing
