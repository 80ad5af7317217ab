// Translations at the input's own depth, scaled alike over a folder, with alpha and without data.
#include <cmath>
#include <functional>
#include <limits>

#include "image/codec.h"
#include "infer/folder_translation.h"
#include "infer/infer_test_support.h"
#include "infer/input_scale.h"
#include "infer/input_survey.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;

class Quiet : public TranslationListener {
 public:
  void skipped(const std::string&) override {}
  void notice(const std::string&) override {}
  void progress(Stage, std::int64_t, std::int64_t, const std::string&) override {}
};

struct Translated {
  std::vector<std::string> notes, notices;
};

class Depth : public ::testing::Test {
 protected:
  fs::path in(const std::string& name) const { return folder_ / "in" / name; }
  fs::path out(const std::string& name) const { return folder_ / "out" / name; }
  void save(const std::string& name, const Image& image) {
    fs::create_directories(folder_ / "in");
    write_image(in(name), image);
  }

  // The folder "in" to "out", as the command does it.
  Translated translate(GeneratorRunner runner, const Treatment& treatment = {}, const GivenScale& given = {},
                       const std::string& format = "") {
    class Log : public LogSink {
     public:
      void notice(const std::string& line) override { lines.push_back(line); }
      void warning(const std::string& line) override { lines.push_back(line); }
      std::vector<std::string> lines;
    } log;
    Quiet listener;
    StopFlag stop;
    PlanOptions options;
    options.format = format;
    options.existing = ExistingOutputs::replace;
    const TranslationPlan plan = plan_translation(folder_ / "in", folder_ / "out", options, log);
    scale_inputs(runner, given, plan.jobs, log);
    InputSurvey survey = survey_inputs(runner, plan.jobs, treatment, listener, stop);
    meet_bad_inputs(survey, treatment.bad_files, listener);
    FolderTranslation translation(runner, survey.good, survey.pages, treatment, listener);
    translation.run(stop);
    return {survey.notes.lines(), log.lines};
  }

  Translated copy(const Treatment& treatment = {}, const GivenScale& given = {},
                  const std::string& format = "") {
    return translate(GeneratorRunner::open("identity", {}), treatment, given, format);
  }

  testing::TestFolder folder_;
};

Image floats(std::int64_t width, std::int64_t height, const std::function<float(std::int64_t)>& at) {
  Image out = Image::blank(width, height, 1, PixelType::f32);
  for (std::int64_t i = 0; i < out.samples(); ++i) out.f32()[i] = at(i);
  return out;
}

std::vector<std::uint8_t> levels(const fs::path& path) { return read_image(path).bytes; }

TEST_F(Depth, OfTwelveBitsComesBackExactly) {
  Image ramp = Image::blank(64, 64, 1, PixelType::u16);
  for (std::int64_t i = 0; i < ramp.samples(); ++i) ramp.u16()[i] = static_cast<std::uint16_t>(i);
  for (const char* name : {"ramp.png", "ramp.tif", "ramp.pgm"}) save(name, ramp);
  const Translated said = copy();
  for (const char* name : {"ramp.png", "ramp.tif", "ramp.pgm"}) {
    const Image got = read_image(out(name));
    EXPECT_EQ(got.type, PixelType::u16) << name;
    EXPECT_EQ(got.bytes, ramp.bytes) << name;
  }
  EXPECT_TRUE(said.notes.empty() && said.notices.empty());
}

TEST_F(Depth, IsTheInputsOrTheOneAskedFor) {
  Image deep = Image::blank(8, 8, 3, PixelType::u16);
  for (std::int64_t i = 0; i < deep.samples(); ++i) deep.u16()[i] = static_cast<std::uint16_t>(i * 257);
  save("a.png", deep);
  Treatment treatment;
  treatment.bit_depth = BitDepth::eight;
  copy(treatment);
  EXPECT_EQ(read_image(out("a.png")).type, PixelType::u8);
  EXPECT_EQ(levels(out("a.png"))[100], 100);
  treatment.bit_depth = BitDepth::floats;
  EXPECT_THAT(error_of([&] { copy(treatment); }), HasSubstr("PNG cannot hold 32-bit float images"));
  copy(treatment, {}, "tif");
  EXPECT_FLOAT_EQ(read_image(out("a.tif")).f32()[100], 100.0F / 255.0F);
  const Translated said = copy({}, {}, "jpg");
  EXPECT_EQ(read_image(out("a.jpg")).type, PixelType::u8);
  EXPECT_THAT(said.notes, ::testing::ElementsAre(HasSubstr("16-bit samples are written with 8 bits")));
  treatment.bit_depth = BitDepth::sixteen;
  EXPECT_THAT(error_of([&] { copy(treatment, {}, "jpg"); }), HasSubstr("JPEG cannot hold 16-bit images"));
}

// The case float-tiff-scaled-by-content: one hot pixel changes no other.
TEST_F(Depth, OneScaleForAllFloatsOfAFolder) {
  const auto ramp = [](std::int64_t i) { return 0.2F + 0.6F * static_cast<float>(i) / 1023; };
  save("a.tif", floats(32, 32, ramp));
  save("hot.tif", floats(32, 32, [&](std::int64_t i) { return i == 500 ? 1.004F : ramp(i); }));
  const Translated said = copy({}, {}, "png");
  const auto a = levels(out("a.png")), hot = levels(out("hot.png"));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (i != 500) {
      ASSERT_EQ(a[i], hot[i]);
      ASSERT_EQ(a[i], std::lround(255 * ramp(static_cast<std::int64_t>(i))));
    }
  EXPECT_EQ(hot[500], 255);
  EXPECT_THAT(said.notices, ::testing::ElementsAre(HasSubstr("0 is black and 1 white")));
  EXPECT_THAT(said.notes, ::testing::Contains(HasSubstr("1 of 1024 samples lie outside of 0 to 1")));
}

TEST_F(Depth, AConstantFloatImageIsGrey) {
  save("constant.tif", floats(32, 32, [](std::int64_t) { return 128.0F; }));
  save("frames.tif", floats(32, 32, [](std::int64_t i) { return static_cast<float>(60 + i % 140); }));
  copy({}, {}, "png");
  EXPECT_EQ(levels(out("constant.png")), std::vector<std::uint8_t>(1024, 128));
  EXPECT_EQ(levels(out("frames.png"))[77], 137);
}

TEST_F(Depth, OfFloatsIsKeptInTheirUnits) {
  const Image image = floats(16, 16, [](std::int64_t i) { return static_cast<float>(i) / 255; });
  save("a.tif", image);
  copy();
  const Image got = read_image(out("a.tif"));
  ASSERT_EQ(got.type, PixelType::f32);
  for (std::int64_t i = 0; i < got.samples(); ++i) EXPECT_NEAR(got.f32()[i], image.f32()[i], 1e-6);
}

// The case geotiff-nodata: heights of 300 to 1200 m fill the scale, and what is none comes back as none.
TEST_F(Depth, PixelsWithoutDataAreNoHeights) {
  Image heights = floats(31, 30, [](std::int64_t i) { return 300 + 900 * static_cast<float>(i) / 929; });
  heights.f32()[40] = heights.f32()[41] = -9999;
  heights.f32()[100] = std::numeric_limits<float>::quiet_NaN();
  heights.no_data = -9999;
  save("dem.tif", heights);
  Translated said = copy({}, {}, "png");
  const auto got = levels(out("dem.png"));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool has_data = i != 40 && i != 41 && i != 100;
    ASSERT_NEAR(got[i], has_data ? 255.0 * static_cast<double>(i) / 929 : 0.0, 0.51);
  }
  EXPECT_EQ(got[40], 0);
  EXPECT_THAT(said.notes, ::testing::Contains(HasSubstr("black in the translation")));
  copy();
  const Image back = read_image(out("dem.tif"));
  EXPECT_EQ(back.no_data, -9999);
  for (const std::int64_t i : {40, 41, 100}) EXPECT_EQ(back.f32()[i], -9999);
  EXPECT_NEAR(back.f32()[500], heights.f32()[500], 1e-3);
}

TEST_F(Depth, WhiteAndBlackMayBeGiven) {
  save("a.tif", floats(16, 16, [](std::int64_t i) { return static_cast<float>(i); }));
  copy({}, {510.0, std::nullopt}, "png");
  EXPECT_EQ(levels(out("a.png"))[100], 50);
  copy({}, {200.0, 100.0}, "png");
  EXPECT_EQ(levels(out("a.png"))[150], 128);
  EXPECT_EQ(levels(out("a.png"))[250], 255);
}

// Models of deep images give what they were trained on, whatever comes in.
TEST_F(Depth, OfTheTargetDomainIsItsOwnScale) {
  const auto runner = [](const ValueRange& from, const ValueRange& to) {
    LoadedGenerator g = testing::loaded(testing::small_options());
    g.direction = kAToB;
    g.info.domains.at("a").range = from;
    g.info.domains.at("b").range = to;
    return GeneratorRunner(std::move(g), {});
  };
  Image deep = Image::blank(12, 12, 3, PixelType::u16);
  for (std::int64_t i = 0; i < deep.samples(); ++i) deep.u16()[i] = static_cast<std::uint16_t>(9 * i);
  save("a.png", deep);
  const ValueRange twelve{4095, -1, 0, PixelType::u16}, half{2047, -1, 0, PixelType::u16};
  translate(runner(twelve, twelve));
  const Image full = read_image(out("a.png"));
  translate(runner(twelve, half));
  const Image less = read_image(out("a.png"));
  translate(runner({}, {}));
  const Image other = read_image(out("a.png"));
  EXPECT_NE(full.bytes, other.bytes) << "a white of 4095 and one of 65535";
  for (std::int64_t i = 0; i < full.samples(); ++i) {
    EXPECT_LE(full.u16()[i], 4095);
    EXPECT_NEAR(less.u16()[i], full.u16()[i] * 2047.0 / 4095.0, 1);
  }
}

// One unit of 16 bits from the network itself, with libtorch as with the kernels.
TEST_F(Depth, OfSixteenBitsIsTheNetworksOwnAnswer) {
  const Image deep = [] {
    Image image = Image::blank(32, 24, 3, PixelType::u16);
    for (std::int64_t i = 0; i < image.samples(); ++i)
      image.u16()[i] = static_cast<std::uint16_t>(i * 7919 % 65536);
    return image;
  }();
  save("a.tif", deep);
  const ValueRange range{65535, -1, 0, PixelType::u16};
  LoadedGenerator g = testing::loaded(testing::small_options());
  g.info.domains.at("a").range = g.info.domains.at("b").range = range;
  const at::Tensor made = GeneratorRunner(g, {}).translate(to_tensor(deep, range).unsqueeze(0))[0];
  translate(GeneratorRunner(g, {}));
  const Image got = read_image(out("a.tif"));
  const at::Tensor hwc = made.permute({1, 2, 0}).contiguous();
  for (std::int64_t i = 0; i < got.samples(); ++i)
    ASSERT_NEAR(got.u16()[i], (hwc.data_ptr<float>()[i] + 1.0) * 32767.5, 1);
}

// A stack of five pages through a network of five channels, or through a copy.
TEST_F(Depth, PagesMayBeChannels) {
  std::vector<Image> pages;
  for (int page = 0; page < 5; ++page) {
    pages.push_back(Image::blank(12, 8, 1, PixelType::u16));
    for (std::int64_t i = 0; i < 96; ++i) pages.back().u16()[i] = static_cast<std::uint16_t>(1000 * page + i);
  }
  fs::create_directories(folder_ / "in");
  write_image_pages(in("stack.tif"), pages);
  Treatment treatment;
  treatment.pages = PageUse::channels;
  copy(treatment);
  ImageFile copied(out("stack.tif"));
  ASSERT_EQ(copied.pages(), 5);
  for (int page = 0; page < 5; ++page) EXPECT_EQ(copied.read(page).bytes, pages[page].bytes);
  copy(treatment, {}, "npy");
  EXPECT_EQ(read_image(out("stack.npy")).channels, 5);

  GeneratorOptions options = testing::small_options();
  options.in_channels = 5;
  options.out_channels = 2;
  LoadedGenerator g = testing::loaded(options);
  g.info.preprocessing = {{"pages", "channels"}};  // as it was trained
  translate(GeneratorRunner(std::move(g), {}));
  EXPECT_EQ(ImageFile(out("stack.tif")).pages(), 2);
}

Image cutout(std::uint8_t hidden) {
  Image image = Image::blank(16, 12, 4);
  for (std::int64_t p = 0; p < 16 * 12; ++p) {
    const bool clear = p % 16 < 6;
    for (std::int64_t c = 0; c < 3; ++c)
      image.u8()[4 * p + c] = clear ? hidden : static_cast<std::uint8_t>(p * 5 + 40 * c);
    image.u8()[4 * p + 3] = clear ? 0 : static_cast<std::uint8_t>(255 - p % 3);
  }
  return image;
}

TEST_F(Depth, AlphaComesBackAndHidesWhatIsUnderIt) {
  save("a.png", cutout(10));
  save("b.png", cutout(250));
  for (const std::int64_t channels : {3, 1}) {
    GeneratorOptions options = testing::small_options();
    options.out_channels = channels;
    const Translated said = translate(GeneratorRunner(testing::loaded(options), {}));
    const Image a = read_image(out("a.png")), b = read_image(out("b.png")), given = cutout(10);
    ASSERT_EQ(a.channels, channels + 1);
    for (std::int64_t p = 0; p < 16 * 12; ++p)
      ASSERT_EQ(a.u8()[(channels + 1) * p + channels], given.u8()[4 * p + 3]);
    EXPECT_EQ(a.bytes, b.bytes) << "what is hidden changes nothing";
    EXPECT_TRUE(said.notes.empty());
  }
  const Translated said =
      translate(GeneratorRunner(testing::loaded(testing::small_options()), {}), {}, {}, "jpg");
  EXPECT_THAT(said.notes, ::testing::ElementsAre(HasSubstr("alpha is left out")));
  EXPECT_EQ(read_image(out("a.jpg")).channels, 3);
}

}  // namespace
}  // namespace torsor
