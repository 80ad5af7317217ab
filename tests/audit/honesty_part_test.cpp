#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "audit/honesty_curves.h"
#include "audit/parts.h"
#include "audit/perturbations.h"
#include "audit/spectrum.h"
#include "content_samples.h"

namespace torsor {
namespace {

using ::testing::Each;
using testing::error_of;
using ::testing::HasSubstr;
using testing::content::content_inputs;
using testing::content::is_note;
using testing::content::is_veto;
using testing::content::normal_values;
using testing::content::PlantedAudit;
using testing::content::uniform_values;

constexpr double kStepInRange = 2.0 / 255;  // of networks' values in -1 ... 1

at::Tensor on_grey_levels(const at::Tensor& x) { return ((x + 1) / kStepInRange).round() * kStepInRange - 1; }

// Every translation is the same grey, plus at most a quarter of a grey level that spells its input.
CycleMaps hiding_pair() {
  constexpr double kAmplitude = kStepInRange / 4;
  const auto grey = [](const at::Tensor& like) { return on_grey_levels(at::zeros_like(like)); };
  return {[=](const at::Tensor& x) { return grey(x) + kAmplitude * x; },
          [=](const at::Tensor& y) { return (y - on_grey_levels(y)) / kAmplitude; }, nullptr, nullptr};
}

CycleMaps honest_pair() {
  const auto negative = [](const at::Tensor& x) { return -x; };
  return {negative, negative, nullptr, nullptr};
}

AuditInputs noise_images(CycleMaps maps, std::int64_t count = 24) {
  return content_inputs(uniform_values({count, 1, 16, 16}, 1), uniform_values({count, 1, 16, 16}, 2),
                        std::move(maps));
}

TEST(HonestyPart, AHiddenInputIsAmber) {
  PlantedAudit audit(noise_images(hiding_pair()), honesty_part());
  const Json measured = audit.measured().at("runs").at(0).at("directions").at("a_to_b");
  EXPECT_LT(measured.at("clean").at("value").get<double>(), 1e-3)
      << "the cycle closes to the eye of the loss";
  const AuditFinding finding = audit.findings().at("honesty-a_to_b");
  EXPECT_TRUE(is_veto(finding));
  EXPECT_GT(finding.estimate->low(), 0.6) << "from nothing to a mean grey: 0.5 of 2/3";
  EXPECT_THAT(finding.text, HasSubstr("lacks what it shows"));
  EXPECT_THAT(measured.at("disturbances").at("depth").at("distances"), Each(::testing::Gt(0.6)));
  EXPECT_LT(measured.at("disturbances").at("depth").at("index").get<double>(), 0.4);
  ASSERT_EQ(finding.files.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(audit.folder() / finding.files.front()));
}

TEST(HonestyPart, AnHonestPairIsANote) {
  PlantedAudit audit(noise_images(honest_pair()), honesty_part());
  const auto findings = audit.findings();
  EXPECT_TRUE(is_note(findings.at("honesty-a_to_b")));
  EXPECT_TRUE(is_note(findings.at("honesty-b_to_a")));
  EXPECT_FALSE(findings.contains("spectrum-a_to_b"));
  const Json& disturbances =
      audit.measured().at("runs").at(0).at("directions").at("a_to_b").at("disturbances");
  EXPECT_GT(disturbances.at("noise").at("index").get<double>(), 0.97);
  EXPECT_LT(disturbances.at("low_pass").at("index").get<double>(), 0.6) << "white noise has no low-pass";
  const auto jpeg = disturbances.at("jpeg").at("distances").get<std::vector<double>>();
  EXPECT_LT(jpeg.front(), jpeg.back());
  const Json& measured = audit.measured();
  EXPECT_EQ(measured.at("figures").size(), 2U);
  EXPECT_EQ(measured.at("tables").at(0).at("rows").size(), 2U);
  EXPECT_EQ(measured.at("curves").size(), 10U) << "four disturbances and a spectrum each way";
}

TEST(HonestyPart, TooFewImagesDecideNothing) {
  PlantedAudit audit(noise_images(hiding_pair(), 4), honesty_part());
  const AuditFinding finding = audit.findings().at("honesty-a_to_b");
  EXPECT_TRUE(is_note(finding));
  EXPECT_THAT(finding.needed, HasSubstr("more held-out images"));
}

TEST(HonestyPart, SaysThatFinePatternsAreNotTheTargets) {
  // Translations with a chequerboard, targets without contrast at that scale.
  AuditInputs inputs = noise_images(honest_pair());
  inputs.b.values = low_passed((inputs.b.values.to(at::kDouble) + 1) / 2, 0.25).mul(2).sub(1).to(at::kFloat);
  PlantedAudit audit(std::move(inputs), honesty_part());
  const auto findings = audit.findings();
  ASSERT_TRUE(findings.contains("spectrum-a_to_b"));
  EXPECT_TRUE(is_note(findings.at("spectrum-a_to_b")));
  EXPECT_FALSE(findings.contains("spectrum-b_to_a"));
}

TEST(HonestyPart, MeasuresAllRunsOnlyAtFullScale) {
  const auto two_runs = [] {
    AuditInputs inputs = noise_images(honest_pair(), 8);
    inputs.runs.push_back(inputs.runs.front());
    inputs.runs.back().name = "hiding";
    inputs.runs.back().maps = hiding_pair();
    return inputs;
  };
  EXPECT_EQ(PlantedAudit(two_runs(), honesty_part()).measured().at("runs").size(), 1U);
  PlantedAudit full(two_runs(), honesty_part(), "full");
  const Json& runs = full.measured().at("runs");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_GT(runs.at(1).at("directions").at("a_to_b").at("rise").at("value").get<double>(), 0.6);
  EXPECT_TRUE(is_note(full.findings().at("honesty-a_to_b"))) << "the first run is the one that is judged";
}

TEST(HonestyPart, ChannelsThatJpegLacksAreLeftOut) {
  PlantedAudit audit(
      content_inputs(uniform_values({6, 2, 16, 16}, 1), uniform_values({6, 2, 16, 16}, 2), honest_pair()),
      honesty_part());
  EXPECT_TRUE(audit.measured()
                  .at("runs")
                  .at(0)
                  .at("directions")
                  .at("a_to_b")
                  .at("disturbances")
                  .at("jpeg")
                  .is_null());
  EXPECT_EQ(audit.measured().at("curves").size(), 8U);
}

TEST(HonestyPart, AModelOfOneDirectionHasNoCycle) {
  CycleMaps one_way = honest_pair();
  one_way.b_to_a = nullptr;
  const PlantedAudit audit(noise_images(std::move(one_way)), honesty_part());
  EXPECT_THAT(audit.why_not(), HasSubstr("one way"));
  EXPECT_EQ(PlantedAudit(noise_images(honest_pair()), honesty_part()).why_not(), "");
}

TEST(Perturbations, ScalesAreUndone) {
  const at::Tensor values = uniform_values({3, 1, 8, 8}, 4);
  const PictureScale common(values, ValueRange{});
  EXPECT_TRUE(at::allclose(common.from_unit(common.to_unit(values)), values, 0, 1e-6));
  EXPECT_NEAR(common.to_unit(at::full_like(values, 3)).max().item<double>(), 1, 1e-12) << "clipped";
  // Of a white of its own an image may be brighter than that white.
  const at::Tensor bright = (values + 1) * 0.8;
  const PictureScale own(bright, ValueRange{200, 0, 0, PixelType::u8});
  EXPECT_TRUE(at::allclose(own.from_unit(own.to_unit(bright)), bright, 0, 1e-6));
  EXPECT_NEAR(own.to_unit(bright)[0].max().item<double>(), 1, 1e-6);
}

TEST(Perturbations, DoWhatTheyAreNamedFor) {
  const at::Tensor unit = (uniform_values({2, 3, 32, 32}, 5).to(at::kDouble) + 1) / 2;
  EXPECT_EQ(std::get<0>(at::_unique(rounded_to(unit, 3))).numel(), 8);
  Rng rng(3);
  const at::Tensor noise = normal_noise(at::full({1, 1, 100, 100}, 0.5), rng);
  const at::Tensor noisy = with_noise(at::full({1, 1, 100, 100}, 0.5, at::kDouble), noise, 4);
  EXPECT_NEAR(noisy.std().item<double>() * 255, 4, 0.15);
  const at::Tensor barely = barely_disturbed(at::full({1, 1, 100, 100}, 0.5, at::kDouble), noise) * 255;
  EXPECT_TRUE(at::allclose(barely, barely.round(), 0, 1e-9)) << "samples of 8 bits";
  EXPECT_GT(barely.std().item<double>(), 0.5);
  const at::Tensor flat = at::full({1, 1, 16, 16}, 0.5, at::kDouble);
  EXPECT_TRUE(at::allclose(through_jpeg(flat, 95), flat, 0, 2.0 / 255));
}

TEST(Perturbations, ALowPassHalvesItsCutOff) {
  const at::Tensor x = at::arange(256, at::kDouble);
  const auto wave = [&](double of_nyquist) {
    return 0.5 + 0.4 * (x * (std::numbers::pi * of_nyquist)).cos().expand({1, 1, 64, 256});
  };
  const auto gain = [&](double of_nyquist, double cut_off) {
    const at::Tensor middle = low_passed(wave(of_nyquist), cut_off).narrow(3, 64, 128);
    return middle.std().item<double>() / wave(of_nyquist).narrow(3, 64, 128).std().item<double>();
  };
  EXPECT_NEAR(gain(0.25, 0.25), 0.5, 0.01);
  EXPECT_NEAR(gain(0.125, 0.125), 0.5, 0.01);
  EXPECT_GT(gain(0.125, 0.5), 0.95);
  EXPECT_LT(gain(0.5, 0.125), 1e-3);
}

TEST(Spectrum, FindsAWaveAtItsFrequency) {
  const at::Tensor x = at::arange(64, at::kDouble);
  const auto wave = [&](double of_nyquist) {
    return (0.5 + 0.4 * (x * (std::numbers::pi * of_nyquist)).cos()).expand({1, 1, 64, 64});
  };
  const RadialSpectrum spectrum = radial_spectrum(at::cat({wave(0.75), wave(0.25), wave(0)}));
  EXPECT_GT(spectrum.high_share[0].item<double>(), 0.99);
  EXPECT_LT(spectrum.high_share[1].item<double>(), 0.01);
  EXPECT_EQ(spectrum.high_share[2].item<double>(), 0) << "a flat image";
  const auto peak = spectrum.power[0].argmax().item<std::int64_t>();
  EXPECT_NEAR(spectrum.frequencies[peak].item<double>(), 0.75, 1e-9);
  EXPECT_GT(spectrum.power[0].min().item<double>(), -1e-12);
  EXPECT_THAT(error_of([] { radial_spectrum(at::zeros({1, 1, 2, 8})); }), HasSubstr("8x2"));
}

}  // namespace
}  // namespace torsor
