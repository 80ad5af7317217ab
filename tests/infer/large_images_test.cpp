// Images by bands are the whole image's translation; what does not fit is refused with numbers.
#include "infer/large_images.h"

#include <cmath>

#include "infer/infer_test_support.h"
#include "model/memory_watch.h"
#include "nn/reach.h"

namespace torsor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

GeneratorRunner runner_of(GeneratorOptions options, Engine engine = Engine::torch) {
  RunnerOptions settings;
  settings.placement.engine = engine;
  return GeneratorRunner(loaded(options), settings);
}

double furthest(const at::Tensor& x, const at::Tensor& y) { return (x - y).abs().max().item<double>(); }

TEST(Reach, IsWhereAPixelsChangeIsSeen) {
  for (const std::string net : {"resnet_1blocks", "resnet_3blocks", "residual_unet_2", "unet_128"}) {
    SCOPED_TRACE(net);
    const LoadedGenerator generator = loaded(small_options(net, net == "unet_128" ? "batch" : "none"));
    const auto reach = reach_of(*generator.generator);
    ASSERT_TRUE(reach);
    const at::NoGradGuard no_grad;
    const std::int64_t side = 512, middle = 256;
    at::Tensor x = image_noise({1, 3, side, side});
    const at::Tensor before = generator.generator->forward(x);
    x.select(2, middle).add_(1);
    const at::Tensor rows = (generator.generator->forward(x) - before).abs().amax({0, 1, 3});
    std::int64_t first = side, last = 0;
    for (std::int64_t y = 0; y < side; ++y)
      if (rows[y].item<double>() > 0) {
        first = std::min(first, y);
        last = std::max(last, y);
      }
    EXPECT_LE(middle - first, *reach);
    EXPECT_LE(last - middle, *reach);
    EXPECT_GE(std::max(middle - first, last - middle), net == "unet_128" ? 1 : *reach / 2)
        << "it is no wild guess";
  }
}

TEST(Reach, StatisticsOfTheImageReachEverywhere) {
  EXPECT_FALSE(reach_of(*loaded(small_options("resnet_1blocks", "instance")).generator));
  const LoadedGenerator batch = loaded(small_options("resnet_1blocks", "batch"));
  EXPECT_TRUE(reach_of(*batch.generator));
  set_norm_statistics(*batch.generator, NormStatistics::batch);
  EXPECT_FALSE(reach_of(*batch.generator));
}

TEST(Bands, GiveTheWholeImagesResult) {
  GeneratorOptions wide = small_options("resnet_1blocks", "none");
  wide.ngf = 32;  // for the kernels
  for (const Engine engine : {Engine::torch, Engine::fast})
    for (GeneratorOptions options :
         {wide, small_options("resnet_2blocks", "batch"), small_options("residual_unet_2", "none")}) {
      SCOPED_TRACE(options.net_g + " " + options.norm);
      const GeneratorRunner runner = runner_of(options, engine);
      const std::int64_t reach = *reach_of(*runner.loaded().generator);
      const at::Tensor image = image_noise({1, 3, 203, 50});
      const at::Tensor whole = runner.translate(image);
      for (const std::int64_t rows : {1, 48, 300}) {
        const at::Tensor made = translate_by_bands(runner, image, reach, rows);
        ASSERT_EQ(made.sizes(), whole.sizes());
        EXPECT_LE(furthest(made, whole), 1e-5) << rows;
      }
    }
}

/// One whose estimate is that of `bytes` of memory.
struct Limited {
  explicit Limited(const GeneratorRunner& runner, double bytes)
      : images(runner, [bytes] {
          return MemoryRoom{bytes, "this test has"};
        }) {}
  at::Tensor translate(const at::Tensor& image) {
    return images.translate(image, "photo.png", [this](const std::string& line) { said.push_back(line); });
  }
  LargeImages images;
  std::vector<std::string> said;
};

TEST(LargeImages, GoByBandsWhereTheMemoryAsksForIt) {
  const GeneratorRunner runner = runner_of(small_options("resnet_1blocks", "none"));
  const at::Tensor image = image_noise({1, 3, 1200, 500});
  Limited plenty(runner, HUGE_VAL);
  const at::Tensor whole = plenty.translate(image);
  EXPECT_THAT(plenty.said, IsEmpty());
  Limited little(runner, 0.6 * plenty.images.cost(1, 1200, 500).bytes);
  EXPECT_LE(furthest(little.translate(image), whole), 1e-5);
  ASSERT_THAT(little.said, SizeIs(1));
  EXPECT_THAT(little.said[0],
              AllOf(HasSubstr("photo.png: 500x1200 pixels take about "), HasSubstr("by bands of ")));
  Limited none(runner, 1e6);
  EXPECT_THAT(error_of([&] { none.translate(image); }), HasSubstr("not even narrow bands"));
}

TEST(LargeImages, ThatCannotGoByBandsAreRefusedWithWhatWouldFit) {
  const GeneratorRunner runner = runner_of(small_options("resnet_1blocks", "instance"));
  const at::Tensor image = image_noise({1, 3, 1000, 600});
  const double bytes = LargeImages(runner).cost(1, 1000, 600).bytes;
  Limited little(runner, bytes / 2);
  EXPECT_THAT(error_of([&] { little.translate(image); }),
              AllOf(HasSubstr("photo.png: 600x1000 pixels take about"), HasSubstr("this test has"),
                    HasSubstr("cannot go by bands yet"),
                    ::testing::ContainsRegex("--resize [34][0-9][0-9]x[67][0-9][0-9] would fit"),
                    HasSubstr("--force")));
  EXPECT_NO_THROW(Limited(runner, HUGE_VAL).translate(image));
}

// By what the allocators gave out, which does not depend on what else the machine does.
TEST(LargeImages, CostWhatIsMeasured) {
  GeneratorOptions wide = small_options("resnet_2blocks");
  wide.ngf = 32;
  for (const Engine engine : {Engine::torch, Engine::automatic}) {
    const GeneratorRunner runner = runner_of(wide, engine);
    LargeImages images(runner);
    const at::Tensor image = image_noise({1, 3, 480, 640});
    const double expected = images.cost(1, 480, 640).bytes;
    MemoryWatch watch(runner.placement());
    runner.translate(image);
    const double in_and_out = 2 * 4 * 480 * 640 * 6;
    EXPECT_NEAR(watch.peak() + in_and_out, expected, 0.15 * expected);
  }
}

}  // namespace
}  // namespace torsor::testing
