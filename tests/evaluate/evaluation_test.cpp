// Folders of images scored: values that are known, what the result states, and what is refused.
#include "evaluate/evaluation.h"

#include <cmath>

#include "core/files.h"
#include "evaluate/evaluate_test_support.h"
#include "evaluate/evaluation_page.h"

namespace torsor::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Folders : public ::testing::Test {
 protected:
  fs::path folder(const std::string& name, std::int64_t count, std::uint64_t seed, double brightness = 1) {
    return noise_folder(folder_ / name, count, seed, brightness);
  }
  TestFolder folder_;
};

TEST(MetricPlans, AreTheUsualOnesOrThoseAskedFor) {
  EXPECT_THAT(plan_metrics("", Pairing::unpaired, "--metrics").sets,
              ElementsAre("kid", "precision", "recall", "density", "coverage"));
  const MetricPlan pairs = plan_metrics("", Pairing::aligned, "--metrics");
  EXPECT_THAT(pairs.pixel_pairs, ElementsAre("psnr", "ssim", "ssim_gauss", "mae", "rmse"));
  EXPECT_THAT(pairs.sets, ElementsAre("kid"));
  EXPECT_FALSE(pairs.chosen);
  const MetricPlan asked = plan_metrics("mae, fid,mae,feature_distance", Pairing::aligned, "--metrics");
  EXPECT_THAT(asked.pixel_pairs, ElementsAre("mae"));
  EXPECT_THAT(asked.sets, ElementsAre("fid"));
  EXPECT_THAT(asked.feature_pairs, ElementsAre("feature_distance"));
  EXPECT_TRUE(asked.chosen && asked.needs_features());
  EXPECT_FALSE(plan_metrics("psnr", Pairing::aligned, "--metrics").needs_features());
  EXPECT_THAT(error_of<UsageError>([] { plan_metrics("kdi", Pairing::aligned, "--metrics"); }),
              AllOf(HasSubstr("--metrics"), HasSubstr("did you mean 'kid'")));
  EXPECT_THAT(error_of<UsageError>([] { plan_metrics("psnr", Pairing::unpaired, "--metrics"); }),
              HasSubstr("--pairing aligned"));
}

TEST_F(Folders, OfTheSameImagesAreAsNearAsCanBe) {
  const fs::path a = folder("a", 8, 1), b = folder("b", 8, 1);
  const Evaluation done = evaluated({a, b, {}, {}, {}}, pixel_options("psnr,mae,kid,fid", "aligned"));
  EXPECT_TRUE(std::isinf(result_of(done, "psnr").value));
  EXPECT_EQ(result_of(done, "mae").value, 0);
  EXPECT_NEAR(result_of(done, "fid").value, 0, 1e-9);
  const Json json = evaluation_json(done);
  EXPECT_EQ(json.at("metrics").at("psnr").at("value"), "inf");
  EXPECT_THAT(images_csv(done), HasSubstr("\n,00.png,00.png,inf,0,0\n"));
}

TEST_F(Folders, ApartGiveAGreaterDistanceThanTheirInputs) {
  const fs::path real = folder("real", 9, 1), fake = folder("fake", 8, 2, 0.3), inputs = folder("in", 8, 3);
  const Evaluation done = evaluated({real, fake, inputs, {}, {}}, pixel_options());
  const SetScores& scores = done.parts.front().scores;
  EXPECT_GT(scores.metrics.at("kid").value, scores.copying.at("kid").value + 0.001);
  const Json kid = evaluation_json(done).at("metrics").at("kid");
  EXPECT_EQ(kid.at("copying").at("value"), scores.copying.at("kid").value);
  EXPECT_TRUE(kid.at("interval").is_array());
  EXPECT_THAT(scores.columns, ElementsAre("nearest"));
  EXPECT_EQ(scores.images.size(), 8u);
}

TEST_F(Folders, StateTheirProtocol) {
  const Evaluation done = evaluated({folder("a", 8, 1), folder("b", 7, 2), {}, {}, {}}, pixel_options("kid"));
  const Json json = evaluation_json(done), protocol = json.at("protocol");
  EXPECT_EQ(protocol.at("extractor").at("name"), "pixels");
  EXPECT_EQ(protocol.at("extractor").at("hash").get<std::string>().size(), 32u);
  EXPECT_EQ(protocol.at("extractor").at("resizer"), "clean_bicubic");
  EXPECT_EQ(protocol.at("seed"), 0);
  EXPECT_EQ(protocol.at("real").at("images"), 8);
  EXPECT_EQ(protocol.at("fake").at("images"), 7);
  EXPECT_EQ(protocol.at("real").at("files"), "png");
  const Evaluation again =
      evaluated({folder("c", 8, 1), folder("d", 7, 5), {}, {}, {}}, pixel_options("kid"));
  EXPECT_EQ(evaluation_json(again).at("protocol"), protocol) << "the reference is told by its content";
}

TEST_F(Folders, TooSmallForAMetricAreRefusedOrItIsLeftOut) {
  const FolderRequest few{folder("a", 3, 1), folder("b", 3, 2), {}, {}, {}};
  const Evaluation usual = evaluated(few, pixel_options());
  EXPECT_THAT(usual.parts.front().scores.order, ElementsAre("kid"));
  EXPECT_THAT(usual.warnings.front(), HasSubstr("precision is left out: it needs 6 images"));
  EXPECT_THAT(error_of([&] { evaluated(few, pixel_options("precision")); }), HasSubstr("6 images"));
  const FolderRequest one{folder("c", 1, 1), folder("d", 1, 2), {}, {}, {}};
  EXPECT_THAT(error_of([&] { evaluated(one, pixel_options("kid")); }), HasSubstr("2 images"));
  const Evaluation fid = evaluated(few, pixel_options("fid"));
  EXPECT_THAT(::testing::PrintToString(fid.warnings), HasSubstr("fid"));
}

TEST_F(Folders, OfPairsNameWhatIsMissingOrUnequal) {
  const fs::path a = folder("a", 8, 1), b = folder("b", 3, 1);
  EXPECT_THAT(error_of([&] {
                evaluated({a, b, {}, {}, {}}, pixel_options("mae", "aligned"));
              }),
              AllOf(HasSubstr("5 of 8"), HasSubstr("03.png, 04.png, 05.png")));
  EvaluateOptions without = pixel_options("mae", "aligned");
  without.skip_bad = true;
  EXPECT_EQ(result_of(evaluated({a, b, {}, {}, {}}, without), "mae").value, 0);
  write_image(b / "01.png", noise(1, 13));
  EXPECT_THAT(error_of([&] {
                evaluated({a, b, {}, {}, {}}, without);
              }),
              AllOf(HasSubstr("01.png"), HasSubstr("12x12"), HasSubstr("13x13")));
}

TEST_F(Folders, OfPairsAreComparedInsideMasks) {
  const fs::path a = folder("a", 4, 1), b = folder("b", 4, 1), masks = folder_ / "masks";
  fs::create_directories(masks);
  Image changed = read_image(b / "00.png"), mask = Image::blank(12, 12, 1);
  changed.u8()[0] ^= 255;
  write_image(b / "00.png", changed);
  std::fill_n(mask.u8() + 1, 143, 255);  // all but the pixel that changed
  for (int i = 0; i < 4; ++i) write_image(masks / fmt::format("0{}.png", i), mask);
  const EvaluateOptions options = pixel_options("mae", "aligned");
  EXPECT_GT(result_of(evaluated({a, b, {}, {}, {}}, options), "mae").value, 0);
  EXPECT_EQ(result_of(evaluated({a, b, {}, masks, {}}, options), "mae").value, 0);
  fs::remove(masks / "02.png");
  EXPECT_THAT(error_of([&] {
                evaluated({a, b, {}, masks, {}}, options);
              }),
              AllOf(HasSubstr("1 of 4"), HasSubstr("02.png")));
  EXPECT_THAT(error_of<UsageError>([&] {
                evaluated({a, b, {}, masks, {}}, pixel_options());
              }),
              HasSubstr("--mask"));
}

TEST_F(Folders, KeepTheirFeatures) {
  const FolderRequest sets{folder("a", 4, 1), folder("b", 4, 2), {}, {}, {}};
  const double first = result_of(evaluated(sets, pixel_options("kid"), folder_ / "cache"), "kid").value;
  const auto listed = fs::directory_iterator(folder_ / "cache");
  const std::string bytes = read_file(listed->path());
  EXPECT_EQ(result_of(evaluated(sets, pixel_options("kid"), folder_ / "cache"), "kid").value, first);
  EXPECT_EQ(read_file(listed->path()), bytes);
}

TEST_F(Folders, OfSixteenBitsNeedARange) {
  for (const char* name : {"a", "b"}) {
    fs::create_directories(folder_ / name);
    Image image = Image::blank(12, 12, 1, PixelType::u16);
    image.u16()[0] = name[0] == 'a' ? 1440 : 0;
    for (const char* file : {"0.png", "1.png"}) write_image(folder_ / name / file, image);
  }
  const FolderRequest sets{folder_ / "a", folder_ / "b", {}, {}, {}};
  EvaluateOptions options = pixel_options("mae,psnr", "aligned");
  EXPECT_THAT(error_of<UsageError>([&] { evaluated(sets, options); }), HasSubstr("--data-range"));
  options.data_range = 4095;
  const Evaluation done = evaluated(sets, options);
  EXPECT_NEAR(result_of(done, "mae").value, 10, 1e-12);
  EXPECT_NEAR(result_of(done, "psnr").value, 20 * std::log10(4095 / 120.0), 1e-9);
}

TEST_F(Folders, ShowTheirWorstImagesOnAPage) {
  const fs::path a = folder("a", 4, 1), b = folder("b", 4, 1), out = folder_ / "out";
  write_image(b / "02.png", noise(99));
  const Evaluation done = evaluated({a, b, {}, {}, {}}, pixel_options("psnr", "aligned"));
  const EvaluationFiles files = write_evaluation(done, evaluation_json(done), "torsor evaluate <x>", out);
  const std::string page = read_file(files.page);
  EXPECT_THAT(page, AllOf(HasSubstr("ranked by the psnr"), HasSubstr("torsor evaluate &lt;x&gt;")));
  EXPECT_LT(page.find("02.png, psnr"), page.find("<h3>Middle</h3>")) << "the worst come first";
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_EQ(Json::parse(read_file(files.json)), evaluation_json(done));
}

}  // namespace
}  // namespace torsor::testing
