// Part I on translators that are right or wrong in a known way.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audit/paired_test.h"
#include "audit/parts.h"
#include "planted_translators.h"
#include "test_support.h"

namespace torsor {
namespace {

using ::testing::Contains;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace torsor::testing;

class Anchors : public ::testing::Test {
 protected:
  Json measured(std::vector<AuditedRun> runs, const PlantedOptions& planted = {}) {
    return measured(planted_inputs(std::move(runs), planted));
  }
  Json measured(AuditInputs inputs) {
    AuditOptions options;
    options.resamples = 200;
    AuditMaterial material(std::move(inputs), options, folder_.path, std::make_shared<NullLog>(), stop_);
    return anchors_part().measure(material);
  }
  static AuditFinding judged(const Json& anchors, const std::string& id = "anchors-a_to_b") {
    for (AuditFinding& finding : anchors_part().judge({{"anchors", anchors}}, {}))
      if (finding.id == id) return finding;
    ADD_FAILURE() << "no finding " << id;
    return {};
  }

  TestFolder folder_;
  StopFlag stop_;
};

AuditedRun right_run(const std::string& name = "right") { return planted_run(name, true_b, true_a); }

// The right translator with this done to its answers into B.
AuditedRun wrong_run(TensorMapping change, const std::string& name = "wrong") {
  return planted_run(
      name, [change](const at::Tensor& x) { return change(true_b(x)); }, true_a);
}

at::Tensor other_hue(const at::Tensor& x) { return x.index_select(1, at::tensor({2, 0, 1}, at::kLong)); }

TEST_F(Anchors, ARightTranslatorIsGreenBothWays) {
  const Json anchors = measured({right_run()});
  for (const char* id : {"anchors-a_to_b", "anchors-b_to_a"}) {
    const AuditFinding finding = judged(anchors, id);
    EXPECT_EQ(finding.verdict, AuditVerdict::green) << finding.title << finding.needed;
    EXPECT_EQ(finding.role, FindingRole::evidence);
    EXPECT_THAT(finding.files, ::testing::SizeIs(1));
  }
  const auto beaten = anchors.at("beaten").get<std::vector<std::string>>();
  for (const char* id : {"symmetry:a:hflip", "symmetry:b:hue-120", "copy", "unrelated", "constant"})
    EXPECT_THAT(beaten, Contains(id));
}

TEST_F(Anchors, ARightButBlurredTranslatorIsGreen) {
  const Json anchors = measured({wrong_run(blurred_scene)});
  const AuditFinding finding = judged(anchors);
  EXPECT_EQ(finding.verdict, AuditVerdict::green) << finding.title << ": " << finding.text;
  EXPECT_GT(anchors.at("directions").at("a_to_b").at("pairs").at("error").at("value").get<double>(), 0.05)
      << "the blur is there";
}

TEST_F(Anchors, ATranslatorOfAnotherHueIsRed) {
  const AuditFinding finding = judged(measured({wrong_run(other_hue)}));
  EXPECT_EQ(finding.verdict, AuditVerdict::red);
  EXPECT_THAT(finding.text, HasSubstr("hues turned by 240 degrees"));
}

TEST_F(Anchors, ASlightChangeOfHueIsNotGreen) {
  const auto tinted = [](const at::Tensor& x) { return 0.8 * x + 0.2 * other_hue(x); };
  EXPECT_NE(judged(measured({wrong_run(tinted)})).verdict, AuditVerdict::green);
}

TEST_F(Anchors, AnotherClassInAFifthOfTheImagesIsNotGreen) {
  const auto some = [](const at::Tensor& x) { return where_image(some_of(x, 0.2), other_hue(x), x); };
  const AuditFinding finding = judged(measured({wrong_run(some)}));
  EXPECT_NE(finding.verdict, AuditVerdict::green);
}

TEST_F(Anchors, ASpotThatIsRemovedInHalfOfTheImagesIsNotGreen) {
  const auto some = [](const at::Tensor& x) { return where_image(some_of(x, 0.5), without_spot(x), x); };
  const Json anchors = measured({wrong_run(some)});
  EXPECT_NE(judged(anchors).verdict, AuditVerdict::green);
  EXPECT_NEAR(anchors.at("directions").at("a_to_b").at("pairs").at("wrong").at("share").get<double>(), 0.5,
              0.25)
      << "it is the local errors that show it";
}

TEST_F(Anchors, CopyingIsNotGreen) {
  const auto copy = [](const at::Tensor& x) { return x; };
  EXPECT_NE(judged(measured({planted_run("copy", copy, copy)})).verdict, AuditVerdict::green);
}

TEST_F(Anchors, UnrelatedAnswersAreNotGreen) {
  const auto unrelated = [](const at::Tensor& x) { return at::roll(true_b(x), {1}, {0}); };
  const AuditFinding finding = judged(measured({planted_run("other", unrelated, true_a)}));
  EXPECT_NE(finding.verdict, AuditVerdict::green);
}

TEST_F(Anchors, OneImageForAllInputsIsNotGreen) {
  const at::Tensor one = at::full({1, 3, kSceneSide, kSceneSide}, -0.8, at::kFloat);
  const auto constant = [one](const at::Tensor& x) { return one.expand_as(x).contiguous(); };
  const Json anchors = measured({planted_run("constant", constant, true_a)});
  EXPECT_NE(judged(anchors).verdict, AuditVerdict::green);
  EXPECT_THAT(anchors.at("beaten").get<std::vector<std::string>>(), Not(Contains("constant")));
}

TEST_F(Anchors, RefusesTranslationsThatAreNoNumbers) {
  const auto broken = [](const at::Tensor& x) { return at::full_like(x, NAN); };
  EXPECT_THAT(error_of([&] { measured({planted_run("broken", broken, true_a)}); }),
              HasSubstr("broken/model.safetensors: translates pairs"));
}

TEST_F(Anchors, AnotherRunThatIsRightMakesRed) {
  const AuditFinding finding = judged(measured({wrong_run(other_hue), right_run()}));
  EXPECT_EQ(finding.verdict, AuditVerdict::red);
}

TEST_F(Anchors, AnotherRunOfTheSameSolutionIsNoRival) {
  const auto nearly = [](const at::Tensor& x) { return 0.99 * x; };
  const Json anchors = measured({right_run(), wrong_run(nearly, "second")});
  EXPECT_EQ(judged(anchors).verdict, AuditVerdict::green);
  EXPECT_THAT(anchors.at("beaten").get<std::vector<std::string>>(), Not(Contains("run:second")));
}

TEST_F(Anchors, AnotherRunThatIsWrongIsBeaten) {
  const Json anchors = measured({right_run(), wrong_run(other_hue, "second")});
  EXPECT_EQ(judged(anchors).verdict, AuditVerdict::green);
  EXPECT_THAT(anchors.at("beaten").get<std::vector<std::string>>(), Contains("run:second"));
}

TEST_F(Anchors, AFewPairsAreNotEnoughForGreenAndItSaysHowManyAre) {
  const AuditFinding finding = judged(measured({right_run()}, {.pairs = 6}));
  EXPECT_EQ(finding.verdict, AuditVerdict::amber);
  EXPECT_THAT(finding.needed, HasSubstr("at least 11 pairs"));
  EXPECT_THAT(finding.needed, HasSubstr("at least 35 pairs"));
}

TEST_F(Anchors, AWrongHueIsRedWithThirteenPairs) {
  EXPECT_EQ(judged(measured({wrong_run(other_hue)}, {.pairs = 13})).verdict, AuditVerdict::red);
}

TEST_F(Anchors, RefusesPairsThatAnchoredATraining) {
  AuditedRun run = right_run();
  run.anchors = {"a-3-5"};
  EXPECT_THAT(error_of([&] { measured({run}); }), HasSubstr("005.png: anchored the training of right"));
}

// The strongest channel of the brightest colour is the class.
at::Tensor strongest(const at::Tensor& x) {
  const at::Tensor coloured = at::where(x.amin(1, true) > 0.5, at::full_like(x, -1), x);
  return coloured.amax({2, 3}).argmax(1);
}

AuditInputs labelled_inputs(const AuditedRun& run) {
  AuditInputs inputs = planted_inputs({run}, {.images = 60, .pairs = 0});
  AuditLabels labels;
  labels.classes = {"red", "green", "blue"};
  // The class goes with the image: what is red in A is green in B.
  labels.classify = [](const at::Tensor& x, const std::string& domain) {
    return domain == "a" ? strongest(x) : at::remainder(strongest(x) + 2, 3);
  };
  labels.a = labels.classify(inputs.a.values, "a");
  labels.b = labels.classify(inputs.b.values, "b");
  labels.accuracy_a = labels.accuracy_b = 1;
  inputs.labels = labels;
  return inputs;
}

TEST_F(Anchors, LabelsAloneAreAmberForWhatTheyDoNotSee) {
  const Json anchors = measured(labelled_inputs(right_run()));
  const AuditFinding finding = judged(anchors, "labels-a_to_b");
  EXPECT_EQ(finding.verdict, AuditVerdict::amber) << "they cannot tell a mirrored answer";
  EXPECT_THAT(finding.title, HasSubstr("cannot be ruled out"));
  EXPECT_THAT(anchors.at("beaten").get<std::vector<std::string>>(), Contains("symmetry:b:hue-120"));
  EXPECT_THAT(anchors.at("beaten").get<std::vector<std::string>>(), Not(Contains("symmetry:b:hflip")));
}

TEST_F(Anchors, ExchangedClassesAreRed) {
  const Json anchors = measured(labelled_inputs(wrong_run(other_hue)));
  EXPECT_EQ(judged(anchors, "labels-a_to_b").verdict, AuditVerdict::red);
  EXPECT_EQ(anchors.at("directions").at("a_to_b").at("labels").at("permutation"), "(0 1 2)");
}

TEST_F(Anchors, ARivalThatLabelsBeatNeedNotBeBeatenByPairs) {
  AuditInputs inputs = labelled_inputs(right_run());
  const AuditImages a = scenes("a", 40, 3);
  inputs.pairs = AuditPairs{a, translated_scenes(a)};
  const Json anchors = measured(std::move(inputs));
  EXPECT_EQ(judged(anchors).verdict, AuditVerdict::green);
  EXPECT_EQ(judged(anchors, "labels-a_to_b").verdict, AuditVerdict::green) << "pairs beat what labels do not";
}

}  // namespace
}  // namespace torsor
