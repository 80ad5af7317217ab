// The battery and the equivariance gap: planted translators, and every outcome of the judges.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "audit/parts.h"
#include "audit/symmetry_battery.h"
#include "audit/symmetry_findings.h"
#include "audit/symmetry_labels.h"
#include "data/transform.h"
#include "planted_material.h"

namespace torsor::symmetries_part_test {
namespace {

using ::testing::AllOf;
using testing::drawn_images;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PlantedAudit;
using ::testing::SizeIs;

Json estimate(double low, double high) { return Estimate{(low + high) / 2, Interval{low, high}, ""}.json(); }

// A rival whose classifier has this accuracy and which moves translations so far.
Json rival(const std::string& name, double accuracy_low, double accuracy_high, double moved_low,
           double moved_high, const std::string& domain = "a") {
  Json out = {{"id", "symmetry:" + domain + ":" + name},
              {"kind", "symmetry"},
              {"domain", domain},
              {"of", domain == "a" ? "circles (A)" : "squares (B)"},
              {"name", name},
              {"text", name == "hflip" ? "mirrored left to right" : "with hues turned by 30 degrees"},
              {"tested_as", name},
              {"direction", "a_to_b"},
              {"displacement", estimate(moved_low, moved_high)},
              {"loss", nullptr}};
  out["tests"] = Json::array(
      {{{"extractor", "pixels"}, {"images", 120}, {"accuracy", estimate(accuracy_low, accuracy_high)}}});
  return out;
}

std::vector<AuditFinding> judged(const std::vector<Json>& rivals, const Json& beaten = Json::array()) {
  Json parts = {
      {"symmetries", {{"rivals", rivals}, {"others", Json::array()}, {"plain", {{"loss", nullptr}}}}}};
  parts["anchors"]["beaten"] = beaten;
  return judge_symmetries(parts, AuditThresholds());
}

constexpr double kShown[] = {0.46, 0.53}, kExcluded[] = {0.6, 0.7}, kOpen[] = {0.48, 0.58};

TEST(SymmetryJudge, AShownSymmetryThatMattersIsLossAmbiguous) {
  const auto findings = judged({rival("hflip", kShown[0], kShown[1], 0.4, 0.5)});
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].id, "symmetry-hflip-a");
  EXPECT_EQ(findings[0].role, FindingRole::lowers);
  EXPECT_EQ(findings[0].verdict, AuditVerdict::amber);
  EXPECT_THAT(findings[0].title, HasSubstr("Loss-ambiguous: circles (A) mirrored left to right"));
  EXPECT_THAT(findings[0].text, AllOf(HasSubstr("Loss-ambiguous"), HasSubstr("0.45 (0.4 to 0.5)"),
                                      Not(HasSubstr("training-ambiguous"))));
  EXPECT_EQ(findings[1].role, FindingRole::note);
}

TEST(SymmetryJudge, AnUndecidedOneIsAmberAndSaysWhatIsNeeded) {
  const auto findings = judged({rival("hflip", kOpen[0], kOpen[1], 0.4, 0.5)});
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].verdict, AuditVerdict::amber);
  EXPECT_THAT(findings[0].title, HasSubstr("Perhaps loss-ambiguous"));
  EXPECT_THAT(findings[0].needed, HasSubstr("about 2100 images of circles (A)"))
      << "120 (3.24 / 1.96 * 0.05 / 0.02)^2 = 2050";
}

TEST(SymmetryJudge, AnAccuracyNearTheLineAsksForNoMultitudeOfImages) {
  const auto findings = judged({rival("hflip", 0.5, 0.596, 0.4, 0.5)});
  EXPECT_EQ(findings[0].verdict, AuditVerdict::amber);
  EXPECT_THAT(
      findings[0].needed,
      AllOf(HasSubstr("pairs, or a line further from"), HasSubstr("more images will hardly settle it"),
            HasSubstr("the accuracy, 0.548, lies so near the line, 0.55"), Not(HasSubstr("about"))))
      << "30,300 images";
}

TEST(SymmetryJudge, WithoutAnIntervalItIsUndecidedForWantOfGroups) {
  Json open = rival("hflip", 0, 1, 0.4, 0.5);
  open["tests"][0]["accuracy"] = Estimate{0.5, std::nullopt, "3 groups of images; the test needs 5"}.json();
  const auto findings = judged({open});
  EXPECT_EQ(findings[0].verdict, AuditVerdict::amber);
  EXPECT_THAT(findings[0].text, HasSubstr("3 groups"));
  EXPECT_THAT(findings[0].needed, HasSubstr("more patients"));
}

TEST(SymmetryJudge, ExcludedAndHarmlessOnesAreOneNote) {
  const auto findings = judged({rival("hflip", kExcluded[0], kExcluded[1], 0.4, 0.5),
                                rival("vflip", kShown[0], kShown[1], 0.02, 0.05),
                                rival("rot180", kShown[0], kShown[1], 0.05, 0.5)});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].role, FindingRole::note);
  EXPECT_EQ(findings[0].verdict, AuditVerdict::green);
  EXPECT_THAT(findings[0].text, HasSubstr("originals: hflip of A"));
  EXPECT_THAT(findings[0].text, HasSubstr("vflip of A, rot180 of A")) << "the lower limit decides";
}

TEST(SymmetryJudge, PairsThatDecideAgainstItMakeANote) {
  const auto findings = judged(
      {rival("hflip", kShown[0], kShown[1], 0.4, 0.5), rival("hflip", kShown[0], kShown[1], 0.4, 0.5, "b")},
      {"symmetry:a:hflip", "symmetry:a:vflip"});
  ASSERT_THAT(findings, SizeIs(3));
  EXPECT_EQ(findings[0].role, FindingRole::note);
  EXPECT_THAT(findings[0].text, HasSubstr("on the pairs this run beats"));
  EXPECT_EQ(findings[1].role, FindingRole::lowers) << "of B nothing is decided";
  EXPECT_EQ(findings[1].id, "symmetry-hflip-b");
}

TEST(SymmetryJudge, HuesThatAgreeAreOneFinding) {
  const auto findings = judged(
      {rival("hue-30", kShown[0], kShown[1], 0.2, 0.3), rival("hue-60", kShown[0], kShown[1], 0.4, 0.5),
       rival("hue-90", kShown[0], kShown[1], 0.3, 0.4), rival("hue-120", kOpen[0], kOpen[1], 0.3, 0.4),
       rival("hue-30", kShown[0], kShown[1], 0.3, 0.4, "b")});
  ASSERT_THAT(findings, SizeIs(4));
  EXPECT_EQ(findings[0].id, "symmetry-hue-a");
  EXPECT_THAT(findings[0].text, HasSubstr("hues turned by 30, 60 or 90 degrees"));
  EXPECT_EQ(findings[0].estimate->value, 0.45) << "that which moves most";
  EXPECT_EQ(findings[1].id, "symmetry-hue-120-a") << "another outcome";
  EXPECT_EQ(findings[2].id, "symmetry-hue-30-b");
}

TEST(SymmetryJudge, TheThresholdsDecide) {
  Json parts = {{"symmetries", {{"others", Json::array()}, {"plain", {{"loss", nullptr}}}}}};
  parts["symmetries"]["rivals"] = {rival("hflip", kOpen[0], kOpen[1], 0.4, 0.5),
                                   rival("vflip", 0.6, 0.7, 0, 0)};
  AuditThresholds strict;
  strict.automorphism = 0.6;
  EXPECT_THAT(judge_symmetries(parts, strict)[0].title, HasSubstr("Loss-ambiguous"));
  strict.matters = 0.45;
  EXPECT_EQ(judge_symmetries(parts, strict)[0].role, FindingRole::note);
}

// ---- measured ----

TEST(AuditTransform, BringsImagesWholeToTheSizeOfTheTrainingsCrops) {
  ModelInfo info;
  TransformOptions trained;
  trained.load_size = 40;
  trained.crop_size = 32;
  info.preprocessing = options_to_json(trained);
  Rng rng(1);
  Image marked = Image::blank(64, 64, 1);
  marked.u8()[0] = 255;
  for (const auto& [resize, side] : {std::pair{"", 32}, {"16", 16}}) {
    const Image seen = transform(audit_transform(info, resize), marked, rng, "x");
    EXPECT_EQ(seen.width, side);
    EXPECT_EQ(seen.height, side);
    EXPECT_GT(seen.u8()[0], 0) << "the corner is there";
  }
}

at::Tensor same(const at::Tensor& x) { return x; }
at::Tensor one(const at::Tensor& x) { return at::ones({x.size(0), 1}); }

void plant(PlantedAudit& audit, TensorMapping there, TensorMapping back) {
  AuditedRun& run = audit.inputs.runs.front();
  run.maps = {std::move(there), std::move(back), one, one};
  CycleGanOptions o;
  o.alpha_id = 2;
  std::string notice;
  run.terms = generator_terms(o, gan_loss("lsgan"), resolve_identity(o, 3, 3, notice));
  run.cycle_norm = "l1";
  audit.inputs.a = drawn_images("circles-squares", "a", 24, 32);
  audit.inputs.b = drawn_images("circles-squares", "b", 20, 32);
}

const Json& entry_of(const Json& measured, const std::string& id) {
  for (const char* list : {"rivals", "others"})
    for (const Json& entry : measured.at(list))
      if (entry.at("id") == id) return entry;
  throw std::logic_error("no " + id);
}

double value(const Json& estimate) { return estimate.at("value").get<double>(); }

TEST(SymmetryBattery, MeasuresDisplacementLossAndBoundOfEach) {
  PlantedAudit audit;
  plant(audit, same, same);
  audit.options.symmetries = "hflip,vflip,hue-60,hue-300";
  AuditMaterial& material = audit.material();
  const Json measured = measure_symmetries(material);
  EXPECT_THAT(measured.at("rivals"), SizeIs(8)) << "both domains";
  const Json& flip = entry_of(measured, "symmetry:a:hflip");
  const at::Tensor &x = audit.inputs.a.values, &y = audit.inputs.b.values;
  const double far_x = (x.flip({3}) - x).abs().to(at::kDouble).mean().item<double>(),
               far_y = (y.flip({3}) - y).abs().to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(value(flip.at("displacements").at("a_to_b").at("whole")), far_x / material.unrelated("b").whole,
              1e-6);
  EXPECT_NEAR(value(flip.at("displacements").at("b_to_a").at("whole")), far_y / material.unrelated("a").whole,
              1e-6);
  EXPECT_NEAR(flip.at("loss_change").get<double>(), 2 * (far_x + far_y), 1e-6) << "the identity's alone";
  EXPECT_NEAR(flip.at("bound").at("loss").get<double>(), flip.at("loss").at("loss").get<double>(), 1e-6)
      << "attained";
  EXPECT_NEAR(flip.at("moved_inputs").get<double>(), far_x, 1e-6);
  EXPECT_EQ(entry_of(measured, "symmetry:a:vflip").at("automorphism"), "excluded") << "lit from above";
  const Json& back = entry_of(measured, "symmetry:b:hue-300");
  EXPECT_EQ(back.at("tested_as"), "hue-60") << "its inverse, tested before";
  EXPECT_EQ(back.at("tests"), entry_of(measured, "symmetry:b:hue-60").at("tests"));
  EXPECT_THAT(measured.at("tables"), SizeIs(3)) << "of A, of B, of losses";
  for (const Json& figure : measured.at("figures"))
    EXPECT_TRUE(std::filesystem::exists(material.out() / figure.at("file").get<std::string>()));
}

TEST(SymmetryBattery, AtScaleQuickWhatIsExcludedIsNotComposed) {
  PlantedAudit audit;
  int passes = 0;
  plant(
      audit,
      [&](const at::Tensor& x) {
        passes += static_cast<int>(x.size(0));
        return x;
      },
      same);
  const Json measured = measure_symmetries(audit.material());
  EXPECT_FALSE(entry_of(measured, "symmetry:a:vflip").contains("displacement"));
  EXPECT_TRUE(entry_of(measured, "symmetry:a:hflip").contains("displacement"));
  EXPECT_EQ(measured.at("rivals").size() + measured.at("others").size(), 48u);
  EXPECT_LT(passes, 2 * 1536);
}

TEST(SymmetryBattery, OneDirectionAloneGetsWhatNeedsNoWayBack) {
  PlantedAudit audit;
  plant(audit, same, same);
  AuditedRun& run = audit.inputs.runs.front();
  run.maps = {same, {}, {}, {}};
  run.terms.clear();
  audit.options.symmetries = "hflip";
  const Json measured = measure_symmetries(audit.material());
  for (const char* id : {"symmetry:a:hflip", "symmetry:b:hflip"}) {
    const Json& entry = entry_of(measured, id);
    EXPECT_EQ(entry.at("displacements").size(), 1u) << id;
    EXPECT_GT(value(entry.at("displacement")), 0) << id;
    EXPECT_TRUE(entry.at("loss").is_null()) << id;
  }
  EXPECT_FALSE(symmetries_part().judge({{"symmetries", measured}}, AuditThresholds()).empty());
}

TEST(SymmetryBattery, PairsGiveThePapersRow) {
  PlantedAudit audit;
  plant(audit, same, same);
  audit.inputs.pairs = AuditPairs{audit.inputs.a, audit.inputs.a};
  audit.inputs.pairs->b.domain = "b";
  audit.options.symmetries = "hflip";
  const Json row = measure_symmetries(audit.material()).at("table_1");
  EXPECT_EQ(row.at("alpha_id"), 2);
  EXPECT_EQ(row.at("plain").at("psnr").at("a_to_b"), 100) << "a copy of itself";
  EXPECT_LT(row.at("flipped").at("psnr").at("a_to_b").get<double>(), 40);
  const double slope = (row.at("flipped").at("loss").at("loss").get<double>() -
                        row.at("plain").at("loss").at("loss").get<double>()) /
                       4;
  EXPECT_NEAR(slope, row.at("moved_a").get<double>(), 1e-6) << "S0-N1: the bound is attained";
}

TEST(ExchangeableClasses, AreThoseOfEqualFrequency) {
  AuditImages images;
  AuditLabels labels;
  labels.classes = {"cat", "dog", "fish", "none"};
  std::vector<std::int64_t> of_images;
  for (const auto& [label, count] : {std::pair{0, 50}, {1, 45}, {2, 10}, {-1, 7}})
    of_images.insert(of_images.end(), static_cast<std::size_t>(count), label);
  for (std::size_t i = 0; i < of_images.size(); ++i) images.groups.push_back(static_cast<std::int64_t>(i));
  labels.a = labels.b = at::tensor(of_images, at::kLong);
  const Json found = exchangeable_classes(labels, images, images);
  ASSERT_THAT(found.at("a"), SizeIs(3));
  EXPECT_EQ(found.at("a")[0].at("exchangeable"), Json::array({"dog"}));
  EXPECT_EQ(found.at("a")[2].at("exchangeable"), Json::array()) << "a tenth of the images is no fifth";
  std::fill(images.groups.begin(), images.groups.end(), 0);
  EXPECT_EQ(exchangeable_classes(labels, images, images).at("b")[2].at("exchangeable").size(), 2u)
      << "one patient's images say nothing of frequencies";
}

Json equivariance_of(TensorMapping there, std::vector<AuditFinding>& findings) {
  PlantedAudit audit;
  plant(audit, std::move(there), same);
  const AuditPart part = equivariance_part();
  EXPECT_EQ(part.why_not(audit.material()), "");
  const Json measured = part.measure(audit.material());
  findings = part.judge({{"equivariance", measured}}, AuditThresholds());
  return measured;
}

TEST(Equivariance, AMapOfPixelsMovesWithItsImages) {
  std::vector<AuditFinding> findings;
  const Json measured = equivariance_of([](const at::Tensor& x) { return -x; }, findings);
  EXPECT_THAT(measured.at("gaps"), SizeIs(10)) << "five motions, two directions";
  for (const Json& gap : measured.at("gaps")) EXPECT_EQ(value(gap.at("whole")), 0);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].role, FindingRole::note);
}

TEST(Equivariance, AMarkInACornerIsFoundThere) {
  std::vector<AuditFinding> findings;
  const Json measured = equivariance_of(
      [](const at::Tensor& x) {
        at::Tensor y = x.clone();
        y.slice(2, 0, 12).slice(3, 22, 32) = 3;
        return y;
      },
      findings);
  ASSERT_THAT(findings, Not(SizeIs(0)));
  EXPECT_EQ(findings[0].id, "equivariance-hflip-a_to_b");
  EXPECT_EQ(findings[0].role, FindingRole::note);
  EXPECT_THAT(findings[0].text, HasSubstr("in the upper"));
  EXPECT_TRUE(measured.at("figures").size() == 1u);
}

}  // namespace
}  // namespace torsor::symmetries_part_test
