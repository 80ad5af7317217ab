// GeneratorRunner: any size in, the same size out; which statistics, which direction, which file.
#include <ATen/ATen.h>

#include <thread>

#include "core/files.h"
#include "image/convert.h"
#include "image/resize.h"
#include "infer_test_support.h"

namespace torsor {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::image_noise;
using testing::loaded;
using testing::small_options;
using testing::TestFolder;
using testing::write_model;

GeneratorRunner runner(const GeneratorOptions& options, NormStatistics statistics = NormStatistics::running) {
  return GeneratorRunner(loaded(options), {"", statistics, {}});
}

// Element i of a row of n that is mirrored at both ends for ever, without repeating the ends.
std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1), at = i % period;
  return at < n ? at : period - at;
}

at::Tensor mirrored_to(const at::Tensor& x, std::int64_t height, std::int64_t width) {
  std::vector<std::int64_t> rows, columns;
  for (std::int64_t i = 0; i < height; ++i) rows.push_back(mirrored(i, x.size(2)));
  for (std::int64_t i = 0; i < width; ++i) columns.push_back(mirrored(i, x.size(3)));
  return x.index_select(2, at::tensor(rows, at::kLong)).index_select(3, at::tensor(columns, at::kLong));
}

double largest_difference(const at::Tensor& x, const at::Tensor& y) {
  return (x - y).abs().max().item<double>();
}

struct Sides {
  std::int64_t height, width;
};
const std::vector<Sides> kSides = {{1, 1}, {1, 9},   {9, 1},   {5, 3}, {2, 2},
                                   {8, 8}, {13, 30}, {31, 17}, {4, 64}};

TEST(ReflectPad, MirrorsAgainAndAgainOnTheRightAndBottom) {
  for (const auto& [height, width] : kSides) {
    const at::Tensor x = image_noise({2, 3, height, width});
    for (const auto& [to_height, to_width] : std::vector<Sides>{{8, 8}, {32, 64}, {64, 64}, {1, 1}}) {
      const std::int64_t h = std::max(height, to_height), w = std::max(width, to_width);
      const at::Tensor padded = reflect_pad_to(x, to_height, to_width);
      ASSERT_EQ(padded.sizes(), (std::vector<std::int64_t>{2, 3, h, w}));
      EXPECT_TRUE(at::equal(padded, mirrored_to(x, h, w)))
          << height << "x" << width << " to " << h << "x" << w;
    }
  }
}

TEST(GeneratorRunner, TheOutputHasTheInputsSizeAndTheValuesOfTheMirroredImage) {
  GeneratorOptions options = small_options();
  options.out_channels = 1;
  const GeneratorRunner t = runner(options);
  for (const auto& [height, width] : kSides) {
    const at::Tensor x = image_noise({2, 3, height, width});
    const at::Tensor y = t.translate(x);
    ASSERT_EQ(y.sizes(), (std::vector<std::int64_t>{2, 1, height, width}));
    EXPECT_TRUE(y.is_contiguous());
    EXPECT_LE(y.abs().max().item<double>(), 1.0);
    const auto up = [](std::int64_t side) { return std::max<std::int64_t>(8, (side + 3) / 4 * 4); };
    const at::NoGradGuard no_grad;
    const at::Tensor whole = t.loaded().generator->forward(mirrored_to(x, up(height), up(width)));
    EXPECT_LT(largest_difference(y, whole.slice(2, 0, height).slice(3, 0, width)), 1e-6)
        << height << "x" << width;
  }
}

TEST(GeneratorRunner, AUnetTakesOddSizesToo) {
  GeneratorOptions options = small_options("unet_128");
  options.ngf = 1;
  const GeneratorRunner t = runner(options);
  for (const auto& [height, width] : std::vector<Sides>{{1, 1}, {37, 5}, {129, 64}})
    EXPECT_EQ(t.translate(image_noise({1, 3, height, width})).sizes(),
              (std::vector<std::int64_t>{1, 3, height, width}));
}

TEST(GeneratorRunner, ABatchEqualsItsImagesOneByOne) {
  for (const char* norm : {"instance", "batch", "none"}) {
    const GeneratorRunner t = runner(small_options("resnet_2blocks", norm));
    const at::Tensor x = image_noise({3, 3, 18, 21});
    const at::Tensor together = t.translate(x);
    for (std::int64_t i = 0; i < x.size(0); ++i)
      EXPECT_LT(largest_difference(together[i], t.translate(x.slice(0, i, i + 1))[0]), 1e-5) << norm;
  }
}

TEST(GeneratorRunner, TheSameImageGivesTheSameBitsAlsoFromManyThreads) {
  GeneratorOptions options = small_options("resnet_2blocks", "batch");
  options.dropout = true;  // is off outside training
  const GeneratorRunner t = runner(options);
  const at::Tensor x = image_noise({1, 3, 19, 23});
  const at::Tensor first = t.translate(x);
  std::vector<at::Tensor> results(4);
  std::vector<std::thread> threads;
  for (at::Tensor& result : results) threads.emplace_back([&] { result = t.translate(x); });
  for (std::thread& thread : threads) thread.join();
  for (const at::Tensor& result : results) EXPECT_LT(largest_difference(result, first), 1e-6);
  EXPECT_TRUE(at::equal(t.translate(x), first));
  EXPECT_FALSE(first.requires_grad());
}

TEST(GeneratorRunner, BatchNormUsesTheStatisticsAskedForAndChangesNone) {
  const GeneratorOptions options = small_options("resnet_2blocks", "batch");
  const at::Tensor x = image_noise({2, 3, 16, 16});
  const at::NoGradGuard no_grad;
  const LoadedGenerator running = loaded(options), training = loaded(options);
  const at::Tensor with_running = running.generator->forward(x);
  training.generator->train();
  const at::Tensor with_batch = training.generator->forward(x);
  ASSERT_GT(largest_difference(with_running, with_batch), 1e-2);

  for (const NormStatistics statistics : {NormStatistics::running, NormStatistics::batch}) {
    const GeneratorRunner t = runner(options, statistics);
    const at::Tensor& expected = statistics == NormStatistics::running ? with_running : with_batch;
    EXPECT_LT(largest_difference(t.translate(x), expected), 1e-6);
    const auto before = state_dict(*loaded(options).generator), after = state_dict(*t.loaded().generator);
    for (std::size_t i = 0; i < after.size(); ++i)
      EXPECT_TRUE(at::equal(before[i].second, after[i].second)) << after[i].first;
  }
}

TEST(GeneratorRunner, DoublePrecisionAgreesWithSingle) {
  Placement doubles;
  doubles.dtype = at::kDouble;
  const GeneratorRunner t(loaded(small_options()), {"", NormStatistics::running, doubles});
  const at::Tensor x = image_noise({1, 3, 12, 12});
  const at::Tensor y = t.translate(x);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  EXPECT_LT(largest_difference(y, runner(small_options()).translate(x)), 1e-4);
}

Image picture(std::int64_t width, std::int64_t height, std::int64_t channels) {
  Image image = Image::blank(width, height, channels);
  for (std::int64_t i = 0; i < image.samples(); ++i) image.u8()[i] = static_cast<std::uint8_t>(i * 37 % 251);
  return image;
}

TEST(GeneratorRunner, AnImageIsBroughtToTheNetworksChannels) {
  for (const std::int64_t in : {1, 3}) {
    GeneratorOptions options = small_options();
    options.in_channels = in;
    options.out_channels = 4 - in;
    const GeneratorRunner t = runner(options);
    for (const std::int64_t channels : {1, 2, 3, 4}) {
      std::string note;
      Image given = picture(11, 7, channels);
      for (std::uint8_t& sample : given.bytes) sample = std::max<std::uint8_t>(sample, 1);  // all can be seen
      const Image got = t.translate(given, note);
      EXPECT_EQ(got.width, 11);
      EXPECT_EQ(got.height, 7);
      EXPECT_EQ(got.channels, 4 - in);
      EXPECT_EQ(got.type, PixelType::u8);
      EXPECT_EQ(note.find("alpha is left out") != std::string::npos, channels % 2 == 0) << note;
      const at::Tensor x = to_tensor(with_channels(given, in), {});
      EXPECT_EQ(got.bytes, to_image(t.translate(x.unsqueeze(0))[0]).bytes);
    }
  }
}

TEST(GeneratorRunner, AnAlphaThatHidesNothingIsNotMentioned) {
  Image opaque = picture(5, 4, 4);
  for (std::int64_t i = 3; i < opaque.samples(); i += 4) opaque.u8()[i] = 255;
  std::string note;
  runner(small_options()).translate(opaque, note);
  EXPECT_EQ(note, "");
}

TEST(GeneratorRunner, TheIdentityGivesBackEverySample) {
  const GeneratorRunner t = GeneratorRunner::open("identity", {});
  for (const std::int64_t channels : {1, 2, 3, 4, 5}) {
    Image given = Image::blank(17, 16, channels);  // all levels, which no rounding may shift
    for (std::int64_t i = 0; i < given.samples(); ++i) given.u8()[i] = static_cast<std::uint8_t>(i);
    std::string note;
    const Image got = t.translate(given, note);
    EXPECT_EQ(got.channels, channels);
    EXPECT_EQ(got.bytes, given.bytes);
    EXPECT_EQ(note, "");
  }
}

// A network's answer to 16 bits that hold 8 is the one to 8 bits, given with 16.
TEST(GeneratorRunner, SixteenBitImagesComeBackWithSixteenBits) {
  const GeneratorRunner t = runner(small_options());
  Image deep = Image::blank(9, 9, 3, PixelType::u16);
  const Image shallow = picture(9, 9, 3);
  for (std::int64_t i = 0; i < deep.samples(); ++i)
    deep.u16()[i] = static_cast<std::uint16_t>(shallow.u8()[i] * 257);
  std::string note;
  const Image got = t.translate(deep, note);
  ASSERT_EQ(got.type, PixelType::u16);
  EXPECT_EQ(note, "");
  const at::Tensor made = t.translate(to_tensor(shallow, {}).unsqueeze(0))[0].permute({1, 2, 0}).contiguous();
  for (std::int64_t i = 0; i < got.samples(); ++i)
    EXPECT_NEAR(got.u16()[i], (made.data_ptr<float>()[i] + 1.0) / 2.0 * 65535.0, 1.0);
}

TEST(GeneratorRunner, TheIdentityGivesBackTwelveBitsOfSixteen) {
  const GeneratorRunner t = GeneratorRunner::open("identity", {});
  Image ramp = Image::blank(4096, 16, 1, PixelType::u16);  // and all others
  for (std::int64_t i = 0; i < ramp.samples(); ++i) ramp.u16()[i] = static_cast<std::uint16_t>(i);
  std::string note;
  EXPECT_EQ(t.translate(ramp, note).bytes, ramp.bytes);
  EXPECT_EQ(note, "");
}

// What S0-E2's models do: the output's white is the target domain's, of either direction.
TEST(GeneratorRunner, AnOutputHasTheWhiteOfItsOwnDomain) {
  const Image given = picture(12, 8, 3);
  for (const std::string direction : {"a_to_b", "b_to_a"}) {
    LoadedGenerator g = loaded(small_options());
    g.direction = Direction::named(direction);
    g.info.preprocessing = {{"scaling", "percentile_95"}};
    g.info.domains.at("a").range = {80, 0};
    g.info.domains.at("b").range = {200, 0};
    const GeneratorRunner t(std::move(g), {});
    std::string note;
    const at::Tensor made = t.translate(to_tensor(given, {percentile_95(given), 0}).unsqueeze(0))[0];
    const float white = direction == "a_to_b" ? 200 : 80;
    EXPECT_EQ(t.translate(given, note).bytes, to_image(made, {white, 0}).bytes);
  }
}

TEST(TranslateAsReference, ScalesTheImageBeforeItsResize) {
  LoadedGenerator g = loaded(small_options());
  g.direction = kAToB;
  g.info.preprocessing = {{"scaling", "percentile_95"}};
  g.info.domains.at("b").range = {200, 0};
  const GeneratorRunner t(std::move(g), {"", NormStatistics::batch, {}});
  const Image given = picture(32, 32, 3), small = resize_bicubic(given, 16, 16, PassOrder::pillow_13);
  ASSERT_NE(percentile_95(given), percentile_95(small));
  const at::Tensor made = t.translate(to_tensor(small, {percentile_95(given), 0}).unsqueeze(0))[0];
  EXPECT_EQ(translate_as_reference(t, {"resize_and_crop", 16, 16, /*flip=*/false}, given).bytes,
            to_image(made, {200, 0}, Rounding::truncate).bytes);
  EXPECT_THAT(error_of([&] {
                translate_as_reference(t, {"resize_and_crop", 16, 16, /*flip=*/false}, Image::blank(8, 8, 3),
                                       "night.png");
              }),
              HasSubstr("night.png: its 95th percentile is 0"));
}

TEST(TranslateAsReference, ResizesTruncatesAndWritesRgb) {
  GeneratorOptions options = small_options();
  options.out_channels = 1;
  const GeneratorRunner t = runner(options, NormStatistics::batch);
  const Image out = translate_as_reference(t, {"none", 256, 256, /*flip=*/false}, picture(18, 13, 3));
  EXPECT_EQ(out.width, 16);  // 4.5 fours: halves go to the even neighbour
  EXPECT_EQ(out.height, 12);
  EXPECT_EQ(out.channels, 3);
  const Image same_size = picture(16, 12, 3);
  const at::Tensor y = t.translate(to_tensor(same_size, {}).unsqueeze(0))[0][0];
  const at::Tensor levels = ((y.to(at::kDouble) + 1) * 127.5).contiguous();
  const Image written = translate_as_reference(t, {"none", 256, 256, /*flip=*/false}, same_size);
  int below = 0;
  for (std::int64_t i = 0; i < levels.numel(); ++i) {
    const double level = levels.data_ptr<double>()[i];
    for (int c = 0; c < 3; ++c)
      EXPECT_NEAR(written.u8()[3 * i + c], std::floor(level), 1e-9 + (level - std::floor(level) < 1e-3));
    below += level - std::floor(level) > 0.5;
  }
  EXPECT_GT(below, 0) << "rounding and truncating would not differ";
}

TEST(TranslateAsReference, PadsNothing) {
  const GeneratorRunner t = runner(small_options(), NormStatistics::batch);
  const TransformOptions scale_width{"scale_width", 18, 8, /*flip=*/false};
  const Image given = picture(36, 26, 3);
  const Image out = translate_as_reference(t, scale_width, given);
  EXPECT_EQ(out.width, 20);  // a ResNet makes 20x16 of 18x13
  EXPECT_EQ(out.height, 16);
  EXPECT_THAT(error_of([&] {
                translate_as_reference(t, {"none", 1, 1, /*flip=*/false}, picture(9, 4, 3));
              }),
              AllOf(HasSubstr("8x4"), HasSubstr("at least 8")));
}

TEST(GeneratorRunnerOpen, TakesTheDirectionAskedFor) {
  const TestFolder folder;
  const GeneratorOptions options = small_options();
  const LoadedGenerator there = loaded(options, 1), back = loaded(options, 2);
  write_model(folder / "both.safetensors", {{"a_to_b", there}, {"b_to_a", back}});
  write_model(folder / "back.safetensors", {{"b_to_a", back}});
  const at::Tensor x = image_noise({1, 3, 12, 12});
  const auto opened = [&](const std::string& file, const std::string& direction) {
    return GeneratorRunner::open(folder / file, {direction, NormStatistics::running, {}});
  };
  const auto is = [&](const GeneratorRunner& t, const LoadedGenerator& expected,
                      const std::string& direction) {
    EXPECT_EQ(t.loaded().direction.name(), direction);
    EXPECT_TRUE(at::equal(t.translate(x), GeneratorRunner(expected, {}).translate(x)));
  };
  is(opened("both.safetensors", "a_to_b"), there, "a_to_b");
  is(opened("both.safetensors", "b_to_a"), back, "b_to_a");
  is(opened("both.safetensors", ""), there, "a_to_b");
  is(opened("back.safetensors", ""), back, "b_to_a");
  EXPECT_THAT(error_of<UsageError>([&] { opened("back.safetensors", "a_to_b"); }),
              AllOf(HasSubstr("back.safetensors"), HasSubstr("a_to_b"), HasSubstr("b_to_a")));
}

TEST(GeneratorRunnerOpen, ARunGivesItsFinalModelElseItsNewestCheckpoint) {
  const TestFolder folder;
  const GeneratorOptions options = small_options();
  const at::Tensor x = image_noise({1, 3, 12, 12});
  const auto answers_as = [&](std::uint64_t seed) {
    return at::equal(GeneratorRunner::open(folder / "run", {}).translate(x),
                     GeneratorRunner(loaded(options, seed), {}).translate(x));
  };
  write_model(folder / "run/checkpoints/step_00000010.safetensors", {{"a_to_b", loaded(options, 1)}});
  write_model(folder / "run/checkpoints/step_00000200.safetensors", {{"a_to_b", loaded(options, 2)}});
  EXPECT_TRUE(answers_as(2));
  write_model(folder / "run/model.safetensors", {{"a_to_b", loaded(options, 3)}});
  EXPECT_TRUE(answers_as(3));
}

TEST(GeneratorRunnerOpen, SaysWhatIsWrongWithTheFile) {
  const TestFolder folder;
  const auto problem = [&](const std::string& name) {
    return error_of([&] { GeneratorRunner::open(folder / name, {}); });
  };
  EXPECT_THAT(problem("absent.pth"), AllOf(HasSubstr("absent.pth"), HasSubstr("no such model")));
  std::filesystem::create_directory(folder / "run");
  EXPECT_THAT(problem("run"), AllOf(HasSubstr("run"), HasSubstr("no model.safetensors")));
  write_file_atomically(folder / "x.pth", "not weights");
  EXPECT_THAT(problem("x.pth"), HasSubstr("x.pth"));
  write_safetensors(folder / "other.safetensors", {{{"w", at::zeros({2})}}, {}});
  EXPECT_THAT(problem("other.safetensors"),
              AllOf(HasSubstr("other.safetensors"), HasSubstr("not a CycleGAN or pix2pix generator")));
}

}  // namespace
}  // namespace torsor
