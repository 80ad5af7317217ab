#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/content_statistics.h"
#include "audit/local_contrast.h"
#include "audit/parts.h"
#include "audit/prevalence_judge.h"
#include "content_samples.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::content::content_inputs;
using testing::content::images_of;
using testing::content::is_note;
using testing::content::is_veto;
using testing::content::normal_values;
using testing::content::PlantedAudit;
using testing::content::uniform_values;

constexpr std::int64_t kCount = 80, kSide = 32, kBlob = 6;
constexpr double kTexture = 0.04;  // deviation of the ground, around 0
constexpr double kBlobLine = 0.3;  // between ground and blobs

// A grey ground with a bright square of the given height (0 = none) at a place of its own.
at::Tensor blobs(const at::Tensor& heights, std::uint64_t seed) {
  const std::int64_t n = heights.numel();
  at::Tensor out = kTexture * normal_values({n, 1, kSide, kSide}, seed);
  for (std::int64_t i = 0; i < n; ++i)
    out[i].narrow(1, 4 + 3 * i % 12, kBlob).narrow(2, 4 + 5 * i % 12, kBlob).add_(heights[i].item<double>());
  return out;
}

// Every k-th image has one.
at::Tensor every_kth(std::int64_t k, double height, std::int64_t count = kCount) {
  return (at::arange(count) % k == 0).to(at::kDouble) * height;
}

at::Tensor blobs_in_half() { return blobs(every_kth(2, 0.6), 1); }  // half
at::Tensor blobs_in_few() { return blobs(every_kth(20, 0.6), 2); }  // one of twenty

// Blobs are filled with ground from elsewhere.
at::Tensor without_blobs(const at::Tensor& x) {
  return at::where(x > kBlobLine, x.roll({kSide / 2, kSide / 2}, {2, 3}), x);
}

// A blob in every second image, whatever the image shows.
at::Tensor with_invented_blobs(const at::Tensor& x) {
  at::Tensor out = x.clone();
  for (std::int64_t i = 1; i < x.size(0); i += 2) out[i].narrow(1, 20, kBlob).narrow(2, 20, kBlob).add_(0.6);
  return out;
}

at::Tensor fainter(const at::Tensor& x) { return 0.9 * x; }

AuditInputs translating(const at::Tensor& a, const at::Tensor& b, TensorMapping a_to_b,
                        TensorMapping b_to_a = nullptr) {
  return content_inputs(a, b, {std::move(a_to_b), std::move(b_to_a), nullptr, nullptr});
}

bool has_veto(PlantedAudit& audit) {
  for (const auto& [id, finding] : audit.findings())
    if (is_veto(finding)) return true;
  return false;
}

TEST(PrevalencePart, RemovedStructuresAreAmber) {
  PlantedAudit audit(translating(blobs_in_half(), blobs_in_few(), without_blobs), prevalence_part());
  EXPECT_EQ(audit.why_not(), "");
  const auto findings = audit.findings();
  ASSERT_TRUE(findings.contains("spots-bright-a_to_b"));
  const AuditFinding& finding = findings.at("spots-bright-a_to_b");
  EXPECT_TRUE(is_veto(finding));
  EXPECT_THAT(finding.text, HasSubstr("removed"));
  EXPECT_THAT(finding.text, HasSubstr("50 % of the inputs"));
  EXPECT_THAT(finding.needed, HasSubstr("--labels-a"));
  EXPECT_EQ(audit.measured().at("tables").size(), 1U);
}

TEST(PrevalencePart, AddedStructuresAreAmber) {
  PlantedAudit audit(translating(blobs_in_half(), blobs_in_few(), fainter, with_invented_blobs),
                     prevalence_part());
  const auto findings = audit.findings();
  ASSERT_TRUE(findings.contains("spots-bright-b_to_a"));
  EXPECT_TRUE(is_veto(findings.at("spots-bright-b_to_a")));
  EXPECT_THAT(findings.at("spots-bright-b_to_a").text, HasSubstr("added"));
  EXPECT_TRUE(is_note(findings.at("spots-a_to_b")));
}

TEST(PrevalencePart, KeptStructuresAreANote) {
  PlantedAudit audit(translating(blobs_in_half(), blobs_in_few(), fainter, fainter), prevalence_part());
  const auto findings = audit.findings();
  EXPECT_TRUE(is_note(findings.at("spots-a_to_b")));
  EXPECT_TRUE(is_note(findings.at("spots-b_to_a")));
  EXPECT_FALSE(has_veto(audit));
}

TEST(PrevalencePart, AStyleThatFollowsTheInputIsANote) {
  // All have blobs, in B with twice the contrast: G moves the whole distribution and keeps its order.
  const at::Tensor heights = at::linspace(0.2, 0.45, kCount, at::kDouble);
  PlantedAudit audit(
      translating(blobs(heights, 1), 1.4 * blobs(heights, 2), [](const at::Tensor& x) { return 1.4 * x; }),
      prevalence_part());
  const Json& bright = audit.measured().at("directions").at("a_to_b").at("spots").at("bright");
  EXPECT_LT(bright.at("p").get<double>(), 0.01);
  EXPECT_GT(Estimate::from(bright.at("moved")).low(), 0.5) << "what would be amber without the ranks";
  EXPECT_GT(Estimate::from(bright.at("kept").at(0)).value, 0.9);
  EXPECT_FALSE(has_veto(audit));
}

TEST(PrevalencePart, InvertedContrastIsANote) {
  // Bright blobs become dark ones; B has dark ones, few of them.
  PlantedAudit audit(translating(blobs_in_half(), -blobs_in_few(), [](const at::Tensor& x) { return -x; }),
                     prevalence_part());
  const Json& bright = audit.measured().at("directions").at("a_to_b").at("spots").at("bright");
  EXPECT_GT(Estimate::from(bright.at("moved")).low(), 0.5);
  EXPECT_GT(Estimate::from(bright.at("kept").at(1)).value, 0.9) << "by the other polarity";
  EXPECT_FALSE(has_veto(audit));
}

// Tables that are right, and a classifier that sees blobs.
AuditLabels blob_labels(const AuditInputs& inputs) {
  AuditLabels out;
  out.classes = {"healthy", "lesion"};
  out.classify = [](const at::Tensor& values, const std::string&) {
    return (values.flatten(1) > kBlobLine).any(1).to(at::kLong);
  };
  out.source = "a test";
  out.a = out.held_out_a = out.classify(inputs.a.values, "a");
  out.b = out.held_out_b = out.classify(inputs.b.values, "b");
  out.accuracy_a = out.accuracy_b = 1;
  return out;
}

AuditInputs labelled(AuditInputs inputs) {
  inputs.labels = blob_labels(inputs);
  return inputs;
}

TEST(PrevalencePart, LabelsShowWhatIsRemoved) {
  PlantedAudit audit(labelled(translating(blobs_in_half(), blobs_in_few(), without_blobs)),
                     prevalence_part());
  const auto findings = audit.findings();
  const AuditFinding &labels = findings.at("classes-a_to_b"), &prevalence = findings.at("prevalence-a_to_b");
  EXPECT_TRUE(is_veto(labels));
  EXPECT_EQ(findings.at("spots-bright-a_to_b").needed, "") << "labels are there already";
  EXPECT_NEAR(labels.estimate->value, 0.45, 0.01)
      << "every second image loses its lesion; recall of 4 is 4.5 / 5";
  EXPECT_TRUE(is_veto(prevalence));
  EXPECT_GT(prevalence.estimate->value, 0.9);
  EXPECT_THAT(prevalence.text, HasSubstr("'lesion': 50 % of the inputs, 0 % of their translations and 5 %"));
  const Json& measured = audit.measured().at("directions").at("a_to_b").at("labels");
  EXPECT_EQ(measured.at("matrix"), Json({{40, 0}, {40, 0}}));
  EXPECT_EQ(audit.measured().at("tables").size(), 3U);
}

TEST(PrevalencePart, LabelsThatStayAreANote) {
  PlantedAudit audit(labelled(translating(blobs_in_half(), blobs_in_few(), fainter, fainter)),
                     prevalence_part());
  const auto findings = audit.findings();
  for (const char* id : {"classes-a_to_b", "classes-b_to_a", "prevalence-a_to_b", "prevalence-b_to_a"})
    EXPECT_TRUE(is_note(findings.at(id))) << id;
  EXPECT_EQ(findings.at("classes-a_to_b").estimate->value, 1);
}

TEST(PrevalencePart, AClassifierOfUnknownAccuracySaysSo) {
  AuditInputs inputs = labelled(translating(blobs_in_half(), blobs_in_few(), without_blobs));
  inputs.labels->held_out_a = inputs.labels->held_out_b = at::Tensor();
  inputs.labels->accuracy_a = inputs.labels->accuracy_b = 0;
  PlantedAudit audit(std::move(inputs), prevalence_part());
  const auto findings = audit.findings();
  EXPECT_TRUE(is_veto(findings.at("classes-a_to_b")));
  EXPECT_THAT(findings.at("classes-a_to_b").text, HasSubstr("accuracy on these images is not known"));
}

TEST(PrevalencePart, AGuessingClassifierIsNotHeard) {
  AuditInputs inputs = labelled(translating(blobs_in_half(), blobs_in_few(), without_blobs));
  inputs.labels->held_out_b = at::zeros({kCount}, at::kLong);  // never sees a lesion
  PlantedAudit audit(std::move(inputs), prevalence_part());
  const auto findings = audit.findings();
  EXPECT_TRUE(is_note(findings.at("classes-a_to_b")));
  EXPECT_THAT(findings.at("classes-a_to_b").needed, HasSubstr("--features"));
  EXPECT_FALSE(findings.contains("prevalence-a_to_b"));
}

TEST(PrevalencePart, ImagesWithoutLabelAreCounted) {
  AuditInputs inputs = labelled(translating(blobs_in_half(), blobs_in_few(), fainter));
  inputs.labels->a[0] = -1;
  inputs.labels->a[1] = -1;
  PlantedAudit audit(std::move(inputs), prevalence_part());
  const Json& measured = audit.measured().at("directions").at("a_to_b").at("labels");
  EXPECT_EQ(measured.at("without_label"), 2);
  EXPECT_EQ(measured.at("matrix"), Json({{39, 0}, {0, 39}}));
}

TEST(LocalContrast, SeesASpotAndItsPolarity) {
  const at::Tensor images = at::full({3, 1, 32, 32}, 0.4, at::kDouble);
  images[1][0].narrow(0, 10, 4).narrow(1, 20, 4).fill_(0.9);
  images[2][0].narrow(0, 0, 8).narrow(1, 0, 8).fill_(0.1);  // in the corner
  const LocalContrast spots = local_contrast(images);
  EXPECT_NEAR(spots.bright[0].item<double>(), 0, 1e-12);
  EXPECT_NEAR(spots.bright[1].item<double>(), 0.5, 1e-12);
  EXPECT_GT(spots.dark[2].item<double>(), 0.15);
  EXPECT_LT(spots.dark[1].item<double>(), 0.2) << "the surround of a bright spot";
  EXPECT_TRUE(at::allclose(local_contrast(1 - images).dark, spots.bright, 0, 1e-12));
}

std::vector<std::int64_t> one_each(std::int64_t n) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(i);
  return out;
}

TEST(ContentStatistics, MovedIsTheShareOfTheWay) {
  Rng rng(1);
  const at::Tensor x = every_kth(2, 1, 100), translated = every_kth(5, 1, 100), y = every_kth(10, 1, 100);
  const ContentShift shift = content_shift({x, translated, y, one_each(100), one_each(100)}, 500, rng);
  EXPECT_NEAR(shift.gap.value, -0.4, 1e-12);
  ASSERT_TRUE(shift.moved.has_value());
  EXPECT_NEAR(shift.moved->value, 0.75, 1e-12);
  EXPECT_GT(shift.moved->low(), 0.5);
  EXPECT_LT(shift.moved->high(), 1.1);
  EXPECT_FALSE(content_shift({x, translated, x, one_each(100), one_each(100)}, 500, rng).moved.has_value());
}

TEST(ContentStatistics, GroupsWidenTheInterval) {
  std::vector<std::int64_t> of_ten;
  for (std::int64_t i = 0; i < 100; ++i) of_ten.push_back(i / 10);
  const at::Tensor x = (at::arange(100) < 50).to(at::kDouble);
  const Estimate alone = share_estimate(x, one_each(100)), together = share_estimate(x, of_ten);
  EXPECT_LT(alone.high() - alone.low(), 0.2);
  EXPECT_GT(together.high() - together.low(), 0.45);
  EXPECT_GT(share_estimate(at::zeros({10}, at::kDouble), one_each(10)).high(), 0.2)
      << "none of ten is not never";
}

TEST(ContentStatistics, TheSeparatingValueSeparates) {
  const at::Tensor low = at::linspace(0, 1, 50, at::kDouble), high = at::linspace(2, 3, 40, at::kDouble);
  EXPECT_NEAR(separating_value(low, high), 1, 1e-12) << "above it no one of the first and all of the second";
  EXPECT_NEAR(separating_value(high, low), 1, 1e-12);
}

TEST(ContentStatistics, RankCorrelationIsOfOrder) {
  Rng rng(2);
  const at::Tensor is = every_kth(2, 1, 60);
  const at::Tensor noise = normal_values({60}, 5).to(at::kDouble);
  const auto of = [&](const at::Tensor& values) {
    return rank_correlation(values, is, one_each(60), 300, rng);
  };
  EXPECT_NEAR(of(is * 5 + noise.sigmoid())->value, 1, 1e-12);
  EXPECT_NEAR(of(-is)->value, -1, 1e-12);
  EXPECT_LT(std::abs(of(noise)->value), 0.4);
  EXPECT_EQ(of(at::zeros({60}, at::kDouble))->value, 0) << "ties";
  EXPECT_FALSE(rank_correlation(noise, at::ones({60}), one_each(60), 300, rng).has_value());
}

TEST(ContentStatistics, AgreementAllowsForTheClassifiersErrors) {
  // A perfect translator, and a classifier that is wrong for one image of five, of both classes.
  Rng rng(3);
  const std::int64_t n = 200;
  const at::Tensor truth = at::arange(n) % 2, wrong = (at::arange(n) % 10 < 2).to(at::kLong);
  const at::Tensor said = (truth + wrong) % 2;
  ClassSample sample{truth, said, truth, said, one_each(n), one_each(n), 2};
  const ClassAgreement fair = class_agreement(sample, 500, rng);
  EXPECT_NEAR(fair.agreement.value, 0.8, 1e-12);
  EXPECT_NEAR(fair.attainable, 0.8, 0.01);
  EXPECT_LT(fair.shortfall.low(), 0);
  sample.y_true = at::Tensor();
  EXPECT_NEAR(class_agreement(sample, 500, rng).shortfall.value, 0.2, 1e-12) << "taken to be right";
  EXPECT_NEAR(classifier_power(truth, said, 2), 0.6, 1e-12);
  EXPECT_NEAR(classifier_power(truth, at::zeros_like(truth), 2), 0, 1e-12);
  sample.x = at::full({n}, -1, at::kLong);
  EXPECT_THAT(error_of([&] { class_agreement(sample, 500, rng); }), HasSubstr("no input has a class"));
}

}  // namespace
}  // namespace torsor
