// What is measured of a delivered translation, and when it is doubtful.
#include "infer/evidence.h"

#include <cmath>

#include "core/files.h"
#include "image/codec.h"
#include "infer/delivered_output.h"
#include "infer/ensemble.h"
#include "infer/evidence_source.h"
#include "infer/infer_test_support.h"
#include "infer/last_audit.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kWhole = 2;  // from -1 to 1

at::Tensor stored(const at::Tensor& made, PixelType type) {  // what a file holds of [1,C,H,W]
  const ValueRange range = whole_range(type);
  return to_tensor(to_image(made[0], range), range).unsqueeze(0);
}

// A translation that shows a grey plane and hides its input in digits that no file holds.
TEST(Evidence, HiddenInformationDoesNotSurviveTheDeliveredFile) {
  const at::Tensor x = testing::image_noise({1, 3, 32, 32});
  const at::Tensor made = 0.2 + x * 1e-3;
  const TensorMapping reads_it = [](const at::Tensor& y) { return (y - 0.2) * 1e3; };
  EXPECT_LT((reads_it(made) - x).abs().max().item<double>(), 1e-3) << "its cycle loss is zero";
  for (const PixelType type : {PixelType::u8, PixelType::u16})
    EXPECT_GT(cycle_errors(x, stored(made, type), reads_it, kWhole, 1).whole, 0.3);

  const TensorMapping negative = [](const at::Tensor& y) { return -y; };
  const double honest = cycle_errors(x, stored(-x, PixelType::u8), negative, kWhole, 1).whole;
  EXPECT_GT(honest, 0.5 / 255) << "the noise is in it";
  EXPECT_LT(honest, 1.2 / 255) << "and nothing else";
}

TEST(Evidence, TheNoiseIsThatOfTheImage) {
  const at::Tensor x = testing::image_noise({1, 1, 16, 16});
  const TensorMapping same = [](const at::Tensor& y) { return y; };
  const auto error = [&](const std::string& hash) {
    return cycle_errors(x, x, same, kWhole, noise_seed(hash)).whole;
  };
  EXPECT_EQ(error("0123456789abcdef0123456789abcdef"), error("0123456789abcdef0123456789abcdef"));
  EXPECT_NE(error("0123456789abcdef0123456789abcdef"), error("1123456789abcdef0123456789abcdef"));
  const double mean = std::sqrt(2 / M_PI) / 255;  // of |normal noise| of 1/255 of the range
  EXPECT_NEAR(error("0123456789abcdef0123456789abcdef"), mean, 0.15 * mean);
}

TEST(Evidence, TheWorstPatchIsFound) {
  const at::Tensor x = at::zeros({1, 3, 64, 64});
  const at::Tensor wrong = x.clone();
  wrong.slice(2, 16, 24).slice(3, 40, 48).fill_(1);  // one patch of 8x8
  const TensorMapping same = [](const at::Tensor& y) { return y; };
  const CycleErrors errors = cycle_errors(x, wrong, same, kWhole, 1);
  EXPECT_NEAR(errors.worst_patch, 0.5, 0.01);
  EXPECT_LT(errors.whole, 0.02);
}

OutputMeasures measures(double cycle, double worst, double score) {
  OutputMeasures out;
  out.cycle = CycleErrors{cycle, worst};
  out.discriminator = score;
  return out;
}

Calibration hundred() {  // values 0.00 ... 0.99 of each measure
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i / 100.0);
  Calibration out;
  out.images = 100;
  out.formats = {"png"};
  out.cycle_error = out.worst_patch = out.discriminator = Quantiles(values);
  return out;
}

Evidence graded(const OutputMeasures& measured, const std::string& incomparable = "") {
  Evidence out;
  grade(out, measured, hundred(), incomparable);
  return out;
}

TEST(Evidence, IsDoubtfulBeyondTheCalibration) {
  const EvidenceLimits limits;
  EXPECT_THAT(doubts_about(graded(measures(0.5, 0.5, 0.5)), limits), IsEmpty());
  EXPECT_THAT(doubts_about(graded(measures(0.98, 0.98, 0.01)), limits), IsEmpty()) << "98.5 %";
  EXPECT_THAT(
      doubts_about(graded(measures(1.2, 0.5, 0.5)), limits),
      ElementsAre(HasSubstr("cycle error, 1.2000, is higher than that of all of the 100 calibration")));
  EXPECT_THAT(doubts_about(graded(measures(0.5, 0.99, 0.5)), limits),
              ElementsAre(HasSubstr("worst patch, 0.9900, is higher than that of 99.5 %")));
  EXPECT_THAT(doubts_about(graded(measures(0.5, 0.5, -3)), limits),
              ElementsAre(HasSubstr("score, -3.0000, is lower than that of all")));
  EXPECT_THAT(doubts_about(graded(measures(0.5, 0.5, 7)), limits), IsEmpty()) << "a high score is no doubt";
  EvidenceLimits strict;
  strict.doubt_percentile = 60;
  EXPECT_EQ(doubts_about(graded(measures(0.7, 0.7, 0.2)), strict).size(), 3);
}

TEST(Evidence, IsDoubtfulForAnOddInputAndForModelsThatDiffer) {
  Evidence evidence;
  evidence.input_likeness = Recognition{Likeness::own, 3, 7};
  EXPECT_THAT(doubts_about(evidence, {}), IsEmpty());
  evidence.input_likeness->likeness = Likeness::other;
  EXPECT_THAT(doubts_about(evidence, {}), ElementsAre(HasSubstr("other domain")));
  evidence.input_likeness->likeness = Likeness::neither;
  EXPECT_THAT(doubts_about(evidence, {}), ElementsAre(HasSubstr("unlike the images")));
  evidence.input_likeness.reset();
  evidence.ensemble = EnsembleEvidence{{"x", "y"}, "first", 0.01, 0.1, ""};
  EXPECT_THAT(doubts_about(evidence, {}), IsEmpty()) << "at the limit";
  evidence.ensemble->worst_patch = 0.11;
  EXPECT_THAT(doubts_about(evidence, {}), ElementsAre(HasSubstr("The 2 models differ by 0.110")));
}

TEST(Evidence, SaysWhyItHasNoNumber) {
  OutputMeasures nothing;
  nothing.no_cycle = "no way back";
  nothing.no_discriminator = "no discriminator";
  Json json = graded(nothing).json();
  EXPECT_EQ(json.at("cycle_error"),
            (Json{{"value", nullptr}, {"percentile", nullptr}, {"because", "no way back"}}));
  EXPECT_EQ(json.at("discriminator").at("because"), "no discriminator");
  json = graded(measures(5, 5, -5), "it is a mean").json();
  EXPECT_EQ(json.at("cycle_error"),
            (Json{{"value", 5.0}, {"percentile", nullptr}, {"because", "it is a mean"}}));
  EXPECT_EQ(json.at("doubtful"), false);
  Evidence without;
  without.no_calibration = "there is none";
  grade(without, measures(5, 5, -5), std::nullopt, "");
  EXPECT_EQ(without.json().at("worst_patch").at("because"), "there is none");
  EXPECT_EQ(without.json().at("calibration"), nullptr);
  EXPECT_EQ(without.json().at("ensemble"), nullptr);
  EXPECT_THAT(doubts_about(without, {}), IsEmpty()) << "nothing is compared with nothing";
  without.input.file = "not \xff UTF-8";
  EXPECT_NO_THROW(Json::parse(without.text()));
}

TEST(Ensemble, MeanMedianAndSpreadByHand) {
  const auto of = [](std::vector<double> levels) {
    std::vector<at::Tensor> made;
    for (const double level : levels) made.push_back(at::full({1, 3, 2, 2}, level, at::kFloat));
    return at::stack(made);
  };
  const auto value = [](const at::Tensor& t) { return t.flatten()[0].item<double>(); };
  EXPECT_FLOAT_EQ(value(combined(of({1, -1, 0.5}), EnsembleOutput::first)), 1);
  EXPECT_FLOAT_EQ(value(combined(of({1, -1, 0.5}), EnsembleOutput::mean)), 0.5 / 3);
  EXPECT_FLOAT_EQ(value(combined(of({1, -1, 0.5}), EnsembleOutput::median)), 0.5);
  EXPECT_FLOAT_EQ(value(combined(of({1, -1, 0.5, 0}), EnsembleOutput::median)), 0.25);
  const at::Tensor spread = spread_of(of({1, -1}), kWhole);
  EXPECT_EQ(spread.sizes(), (at::IntArrayRef{1, 2, 2}));
  EXPECT_NEAR(value(spread), std::sqrt(2.0) / 2, 1e-12) << "a share of black to white";
  EXPECT_EQ(spread_picture(spread[0]).u16()[3], std::lround(65535 * std::sqrt(2.0) / 2));
  EXPECT_EQ(value(spread_of(of({0.3, 0.3, 0.3}), kWhole)), 0) << "agreement, right or wrong";
}

class EvidenceFiles : public ::testing::Test {
 protected:
  fs::path audit(const std::string& name, const std::string& hash, const std::string& verdict) const {
    const fs::path file = folder_ / name;
    fs::create_directories(file.parent_path());
    const Json json = {{"verdict", verdict}, {"because", "so"}, {"runs", {{{"name", "r"}, {"hash", hash}}}}};
    write_file_atomically(file, json.dump());
    return file;
  }

  testing::TestFolder folder_;
};

TEST_F(EvidenceFiles, TheLastAuditOfTheseWeightsIsFound) {
  const fs::path weights = folder_ / "run" / "model.safetensors";
  fs::create_directories(weights.parent_path());
  write_file_atomically(weights, "x");
  EXPECT_TRUE(find_last_audit(folder_ / "run", weights, "aa").verdict.is_null());
  const fs::path older = audit("run/audit.json", "aa", "red"),
                 newer = audit("run/audit/audit.json", "aa", "amber");
  fs::last_write_time(older, fs::last_write_time(newer) - std::chrono::hours(1));
  for (const fs::path& model : {folder_ / "run", weights}) {
    const LastAudit found = find_last_audit(model, weights, "aa");
    EXPECT_EQ(found.verdict, (Json{{"verdict", "amber"}, {"because", "so"}, {"file", newer.string()}}));
    EXPECT_THAT(found.notes, IsEmpty());
  }
  fs::last_write_time(older, fs::last_write_time(newer) + std::chrono::hours(1));
  EXPECT_EQ(find_last_audit(weights, weights, "aa").verdict.at("verdict"), "red");
  const LastAudit other = find_last_audit(weights, weights, "bb");
  EXPECT_TRUE(other.verdict.is_null());
  EXPECT_THAT(other.notes, ElementsAre(HasSubstr("other weights"), HasSubstr("other weights")));
  write_file_atomically(older, "{\"verdict\": 3, \"runs\": [{\"hash\": \"aa\"}], \"because\": \"so\"}");
  write_file_atomically(newer, "{");
  const LastAudit damaged = find_last_audit(weights, weights, "aa");
  EXPECT_TRUE(damaged.verdict.is_null());
  EXPECT_EQ(damaged.notes.size(), 2);
}

TEST_F(EvidenceFiles, WhatIsMeasuredIsWhatTheFileHolds) {
  const GeneratorRunner runner(testing::loaded(testing::small_options()), {});
  Image image = Image::blank(24, 20, 3);
  for (std::int64_t i = 0; i < image.samples(); ++i) image.u8()[i] = static_cast<std::uint8_t>(i * 31);
  write_image(folder_ / "x.png", image);
  const at::Tensor x = to_tensor(image, {}).unsqueeze(0);
  const at::Tensor made = runner.translate(x)[0];
  const auto delivered = [&](const std::string& name) {
    PageReader reader(runner, {folder_ / "x.png", name}, {});
    return deliver(runner, made, reader.read(0), name, {});
  };
  const DeliveredOutput png = delivered("y.png"), jpg = delivered("y.jpg");
  EXPECT_EQ(png.format, "png");
  EXPECT_EQ(jpg.format, "jpg");
  const Image written = decode_image(png.bytes, "y.png");
  EXPECT_TRUE(at::equal(png.values[0], to_tensor(written, {})));
  EXPECT_LE((png.values[0] - made).abs().max().item<double>(), 1.001 / 255);
  EXPECT_GT((jpg.values[0] - made).abs().max().item<double>(), 2.0 / 255) << "JPEG's loss is in it";
}

TEST_F(EvidenceFiles, AModelSaysWhatItCannotMeasure) {
  const fs::path path = folder_ / "one.safetensors";
  testing::write_model(path, {{"a_to_b", testing::loaded(testing::small_options(), 1)}});
  const WeightSet set = read_weights(path);
  const GeneratorRunner runner(load_generator(set, ""), {});
  const EvidenceSource source(path, set, runner, {});
  EXPECT_FALSE(source.can_doubt(EnsembleOutput::first));
  EvidenceSubject subject;
  subject.input.hash = "00";
  subject.x = subject.delivered = testing::image_noise({1, 3, 16, 16});
  const Json json = source.weigh(subject, {}, {}, OutputCheck::ScoredAs::whole).json();
  EXPECT_THAT(json.at("cycle_error").at("because").get<std::string>(), HasSubstr("no generator b_to_a"));
  EXPECT_THAT(json.at("discriminator").at("because").get<std::string>(),
              HasSubstr("no discriminator of domain b"));
  EXPECT_EQ(json.at("input_distance").at("likeness"), nullptr);
  EXPECT_EQ(json.at("model").at("hash").get<std::string>().size(), 32);
}

}  // namespace
}  // namespace torsor
