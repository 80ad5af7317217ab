// The interfaces for other programs, through the shared library: memory layouts, errors, threads.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include "core/json.h"
#include "data/fingerprint.h"
#include "data/tensor_image.h"
#include "infer/infer_test_support.h"
#include "kernels/isa.h"
#include "torsor/torsor.h"
#include "torsor/translator.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

constexpr std::int64_t kWidth = 13, kHeight = 10;

class Api : public ::testing::Test {
 protected:
  static LoadedGenerator generator(std::int64_t in, std::int64_t out, std::uint64_t seed = 1) {
    GeneratorOptions options = testing::small_options();
    options.in_channels = in;
    options.out_channels = out;
    return testing::loaded(options, seed);
  }

  fs::path model(std::int64_t in = 3, std::int64_t out = 3) const {
    const fs::path path = folder_ / ("m" + std::to_string(in) + std::to_string(out) + ".safetensors");
    testing::write_model(path, {{"a_to_b", generator(in, out)}, {"b_to_a", generator(in, out, 2)}});
    return path;
  }

  testing::TestFolder folder_;
};

Image random_image(std::int64_t channels, PixelType type = PixelType::u8) {
  Image out = Image::blank(kWidth, kHeight, channels, type);
  std::mt19937 random(5);
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(random());
  return out;
}

// What the command writes: GeneratorRunner is what it runs.
std::vector<std::uint8_t> expected(const fs::path& model, const Image& image) {
  std::string note;
  return GeneratorRunner::open(model, {}).translate(image, note).bytes;
}

std::vector<std::uint8_t> translated(const Translator& t, const void* in, const PixelLayout& layout) {
  const PixelLayout out = t.output_layout(layout);
  const std::int64_t sample = out.type == SampleType::u8 ? 1 : out.type == SampleType::u16 ? 2 : 4;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(out.width * out.height * out.channels * sample));
  t.translate(in, layout, bytes.data(), out);
  return bytes;
}

TEST_F(Api, GivesTheBytesOfTheCommand) {
  for (const auto& [in, out] : {std::pair{3, 3}, {1, 3}, {3, 1}}) {
    const fs::path path = model(in, out);
    const Translator t(path);
    EXPECT_EQ(t.in_channels(), in);
    EXPECT_EQ(t.out_channels(), out);
    for (const std::int64_t channels : {1, 2, 3, 4}) {
      const Image image = random_image(channels);
      EXPECT_EQ(translated(t, image.u8(), {kWidth, kHeight, channels}), expected(path, image)) << channels;
    }
    const Image deep = random_image(3, PixelType::u16);
    EXPECT_EQ(translated(t, deep.u16(), {kWidth, kHeight, 3, SampleType::u16}), expected(path, deep));
  }
}

TEST_F(Api, TheDirectionIsTheOneAskedFor) {
  const fs::path path = model();
  const Image image = random_image(3);
  const PixelLayout layout{kWidth, kHeight};
  EXPECT_EQ(Json::parse(Translator(path).describe()).at("direction"), "a_to_b");
  TranslatorOptions back;
  back.direction = "b_to_a";
  const Translator t(path, back);
  EXPECT_EQ(Json::parse(t.describe()).at("direction"), "b_to_a");
  EXPECT_EQ(Json::parse(t.describe()).at("networks").size(), 2);
  EXPECT_NE(translated(t, image.u8(), layout), translated(Translator(path), image.u8(), layout));
}

TEST_F(Api, TheEngineIsTheOneAskedFor) {
  if (chosen_isa() == Isa::plain) GTEST_SKIP() << "there are no fast kernels here";
  GeneratorOptions wide = testing::small_options();
  wide.ngf = 16;
  const fs::path path = folder_ / "wide.safetensors";
  testing::write_model(path, {{"a_to_b", testing::loaded(wide, 1)}});
  const at::Tensor x = at::rand({1, 3, 16, 24}, at::make_generator<at::CPUGeneratorImpl>(3)) * 2 - 1;
  const auto by = [&](const char* engine) {
    TranslatorOptions options;
    options.engine = engine;
    torsor_options c{};
    c.size = sizeof c;
    c.engine = engine;
    torsor_model* model = torsor_load(path.c_str(), &c);
    EXPECT_NE(model, nullptr) << torsor_last_error();
    torsor_free(model);
    return Translator(path, options).translate(x);
  };
  const at::Tensor fast = by("fast"), torch = by("torch");
  EXPECT_FALSE(at::equal(fast, torch));
  EXPECT_TRUE(at::allclose(fast, torch, 1e-4, 1e-4));
}

// Places the samples of `image` where `layout` says, in memory that is otherwise 0xEE.
struct Placed {
  Placed(const Image& image, PixelLayout l, std::size_t size, std::size_t first_sample)
      : memory(size, 0xEE), layout(l), first(first_sample) {
    for (std::int64_t y = 0; y < image.height; ++y)
      for (std::int64_t x = 0; x < image.width; ++x)
        for (std::int64_t c = 0; c < image.channels; ++c)
          data()[y * l.y_stride + x * l.x_stride + c * l.channel_stride] =
              image.bytes[static_cast<std::size_t>((y * image.width + x) * image.channels + c)];
  }
  std::uint8_t* data() { return memory.data() + first; }
  const std::uint8_t* data() const { return memory.data() + first; }

  std::vector<std::uint8_t> memory;
  PixelLayout layout;
  std::size_t first;
};

std::vector<Placed> placements(const Image& image) {
  const std::int64_t w = image.width, h = image.height, plane = w * h;
  const auto layout = [&](std::ptrdiff_t x, std::ptrdiff_t y, std::ptrdiff_t c) {
    return PixelLayout{w, h, 3, SampleType::u8, x, y, c};
  };
  const auto size = static_cast<std::size_t>(8 * plane);
  return {
      Placed(image, layout(3, 3 * w, 1), size, 0),
      Placed(image, layout(1, w, plane), size, 0),                          // planes
      Placed(image, layout(3, 3 * w + 5, 1), size, 0),                      // rows with a gap
      Placed(image, layout(4, 4 * w, -1), size, 2),                         // BGRA
      Placed(image, layout(3, -3 * w, 1), size, 3 * w * (h - 1)),           // bottom row first
      Placed(image, layout(-1, -w - 2, -plane - 30), size, 8 * plane - 1),  // all backwards
  };
}

TEST_F(Api, StridesSayWhereTheSamplesAre) {
  const fs::path path = model();
  const Translator t(path);
  const Image image = random_image(3);
  const std::vector<std::uint8_t> bytes = expected(path, image);
  Image result = image;
  result.bytes = bytes;
  for (const Placed& in : placements(image)) {
    EXPECT_TRUE(translated(t, in.data(), in.layout) == bytes);
    for (const Placed& wanted : placements(result)) {
      Placed out = wanted;
      std::fill(out.memory.begin(), out.memory.end(), 0xEE);
      t.translate(in.data(), in.layout, out.data(), out.layout);
      EXPECT_TRUE(out.memory == wanted.memory);  // nothing beside the samples was written
    }
  }
}

TEST_F(Api, ARowPitchAloneIsEnough) {
  const Translator t(model());
  const Image image = random_image(3);
  PixelLayout pitch{kWidth, kHeight};
  pitch.y_stride = 3 * kWidth + 7;
  PixelLayout full = pitch;
  full.x_stride = 3;
  full.channel_stride = 1;
  const Placed in(image, full, 1000, 0);
  EXPECT_EQ(translated(t, in.data(), pitch), translated(t, image.u8(), {kWidth, kHeight}));
}

TEST_F(Api, InputAndOutputMayBeTheSameMemory) {
  const fs::path path = model();
  Image image = random_image(3);
  const std::vector<std::uint8_t> bytes = expected(path, image);
  const PixelLayout layout{kWidth, kHeight};
  Translator(path).translate(image.u8(), layout, image.u8(), layout);
  EXPECT_EQ(image.bytes, bytes);
}

TEST_F(Api, FloatsAreTheNetworksOwnValues) {
  const fs::path path = model();
  const Translator t(path);
  const at::Tensor x = testing::image_noise({1, 3, kHeight, kWidth});
  const at::Tensor wanted = GeneratorRunner::open(path, {}).translate(x);
  EXPECT_TRUE(at::equal(t.translate(x), wanted));
  const PixelLayout planes{kWidth, kHeight, 3, SampleType::f32, 4, 4 * kWidth, 4 * kWidth * kHeight};
  const at::Tensor out = at::empty_like(x);
  t.translate(x.data_ptr(), planes, out.data_ptr(), planes);
  EXPECT_TRUE(at::equal(out, wanted));

  // Samples of four bytes at odd addresses.
  std::vector<std::uint8_t> shifted(x.nbytes() + 1);
  std::memcpy(shifted.data() + 1, x.data_ptr(), x.nbytes());
  t.translate(shifted.data() + 1, planes, shifted.data() + 1, planes);
  EXPECT_EQ(std::memcmp(shifted.data() + 1, wanted.contiguous().data_ptr(), x.nbytes()), 0);
}

// Each depth of the input with each depth of the output: the same values, rounded to the output's.
TEST_F(Api, AnyDepthGoesInAndOut) {
  const fs::path path = model();
  const Translator t(path);
  const Image image = random_image(3);
  Image deep = Image::blank(kWidth, kHeight, 3, PixelType::u16);
  for (std::int64_t i = 0; i < deep.samples(); ++i)
    deep.u16()[i] = static_cast<std::uint16_t>(image.u8()[i] * 257);
  const PixelLayout in8{kWidth, kHeight}, in16{kWidth, kHeight, 3, SampleType::u16},
      floats{kWidth, kHeight, 3, SampleType::f32};
  EXPECT_EQ(t.output_layout(in16).type, SampleType::u16);
  std::vector<float> exact(static_cast<std::size_t>(image.samples()));
  t.translate(image.u8(), in8, exact.data(), floats);
  Image out = deep;
  for (const auto& [data, layout] :
       {std::pair<const void*, PixelLayout>{image.u8(), in8}, {deep.u16(), in16}}) {
    t.translate(data, layout, out.u16(), in16);
    for (std::size_t i = 0; i < exact.size(); ++i)
      EXPECT_NEAR(out.u16()[i], (exact[i] + 1.0) / 2.0 * 65535.0, 0.6);
  }
  EXPECT_EQ(translated(t, deep.u16(), in16), expected(path, deep));
}

TEST_F(Api, ATensorComesBackFitForMore) {
  const Translator t(model());
  const at::Tensor x = testing::image_noise({2, 3, kHeight, kWidth}).requires_grad_();
  const at::Tensor y = t.translate(x);
  EXPECT_EQ(y.sizes(), x.sizes());
  EXPECT_FALSE(y.is_inference());
  EXPECT_FALSE(y.requires_grad());
  EXPECT_NO_THROW((testing::image_noise({2, 3, kHeight, kWidth}).requires_grad_() * y).sum().backward());
}

TEST_F(Api, RefusesWhatCannotBeAndTouchesNothing) {
  const Translator t(model());
  const PixelLayout good{kWidth, kHeight};
  std::vector<std::uint8_t> in(4 * 3 * kWidth * kHeight), out(in.size(), 0xEE);
  const auto error = [&](PixelLayout from, PixelLayout to) {
    return error_of([&] { t.translate(in.data(), from, out.data(), to); });
  };
  EXPECT_THAT(error_of([&] { t.translate(nullptr, good, out.data(), good); }),
              HasSubstr("input image: no memory"));
  EXPECT_THAT(error_of([&] { t.translate(in.data(), good, nullptr, good); }),
              HasSubstr("output image: no memory"));
  EXPECT_THAT(error({0, 5}, good), HasSubstr("input image: 0x5 pixels"));
  EXPECT_THAT(error({std::numeric_limits<std::int64_t>::max(), 5}, good), HasSubstr("expected sides from 1"));
  EXPECT_THAT(error(good, {kHeight, kWidth}),
              HasSubstr("output image: 10x13 pixels, but the input has 13x10"));
  EXPECT_THAT(error({kWidth, kHeight, 5}, good), HasSubstr("input image: 5 channels"));
  EXPECT_THAT(error({kWidth, kHeight, 1, SampleType::f32}, good),
              HasSubstr("1 channels of floats, but the network takes 3"));
  EXPECT_THAT(error(good, {kWidth, kHeight, 1}),
              HasSubstr("output image: 1 channels, but the network gives 3"));
  EXPECT_THAT(error({kWidth, kHeight, 3, static_cast<SampleType>(9)}, good), HasSubstr("sample type 9"));
  for (const float bad : {1.01F, -2.0F, std::numeric_limits<float>::quiet_NaN()}) {
    std::memcpy(in.data() + 40, &bad, sizeof bad);
    EXPECT_THAT(error({kWidth, kHeight, 3, SampleType::f32}, good), HasSubstr("not in [-1, 1]"));
  }
  EXPECT_THAT(error_of([&] { t.translate(at::zeros({3, 8, 8})); }), HasSubstr("expected [N, 3, H, W]"));
  EXPECT_THAT(error_of([&] { t.translate(at::zeros({1, 1, 8, 8})); }), HasSubstr("expected [N, 3, H, W]"));
  EXPECT_THAT(error_of([&] { t.translate(at::zeros({1, 3, 8, 8}, at::kByte)); }), HasSubstr("of floats"));
  EXPECT_EQ(out, std::vector<std::uint8_t>(out.size(), 0xEE));
}

TEST_F(Api, WrongModelsAndOptionsAreErrors) {
  EXPECT_THAT(error_of([&] { Translator(folder_ / "absent.safetensors"); }), HasSubstr("absent.safetensors"));
  const fs::path path = model();
  const auto with = [&](std::string TranslatorOptions::*field, const char* value) {
    TranslatorOptions options;
    options.*field = value;
    return error_of([&] { Translator(path, options); });
  };
  EXPECT_THAT(with(&TranslatorOptions::direction, "a_to_c"), HasSubstr("a_to_c"));
  EXPECT_THAT(with(&TranslatorOptions::device, "gpu"),
              AllOf(HasSubstr("device"), HasSubstr("gpu"), HasSubstr("cuda")));
  EXPECT_THAT(with(&TranslatorOptions::precision, "fp8"), HasSubstr("fp8"));
  EXPECT_THAT(with(&TranslatorOptions::norm_stats, "x"), HasSubstr("running"));
  EXPECT_THAT(with(&TranslatorOptions::engine, "faster"), AllOf(HasSubstr("faster"), HasSubstr("torch")));
  EXPECT_THROW(set_threads(-1), UsageError);
}

// Dark pictures for A, bright ones for B.
Image shade(std::mt19937& random, int level) {
  Image out = Image::blank(kWidth, kHeight, 3);
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(level + static_cast<int>(random() % 30));
  return out;
}

TEST_F(Api, DoubtsImagesOfTheOtherDomain) {
  std::mt19937 random(3);
  FingerprintBuilder dark(40, 3), bright(40, 3);
  for (int i = 0; i < 40; ++i) {
    dark.add(i, shade(random, 20 + i % 9));
    bright.add(i, shade(random, 190 + i % 9));
  }
  const Fingerprints known = make_fingerprints(dark, bright);
  const fs::path path = model();
  WeightSet set = read_weights(path);
  set.info.domains.at("a") = {"night", 3, {}, known.a};
  set.info.domains.at("b") = {"day", 3, {}, known.b};
  write_weights(path, set);
  const Translator t(path);
  const PixelLayout layout{kWidth, kHeight};
  const Image right = shade(random, 24), wrong = shade(random, 194);
  EXPECT_EQ(t.doubt(right.u8(), layout), "");
  EXPECT_THAT(t.doubt(wrong.u8(), layout),
              AllOf(HasSubstr("the image looks like domain b (day)"), HasSubstr("b_to_a")));
  const at::Tensor floats = to_tensor(wrong, {}).permute({1, 2, 0}).contiguous();
  EXPECT_THAT(t.doubt(floats.data_ptr(), {kWidth, kHeight, 3, SampleType::f32}), HasSubstr("(day)"));
  torsor_model* m = torsor_load(path.c_str(), nullptr);
  torsor_image in{const_cast<std::uint8_t*>(wrong.u8()), TORSOR_U8, 3, kWidth, kHeight, 0, 0, 0};
  EXPECT_THAT(torsor_doubt(m, &in), HasSubstr("(day)"));
  EXPECT_EQ(torsor_doubt(m, nullptr), nullptr);
  torsor_free(m);
  EXPECT_EQ(Translator(model()).doubt(wrong.u8(), layout), "");  // no fingerprint, no opinion
}

// A model of --scaling percentile_95: brightness does not matter, and floats have no such scale.
TEST_F(Api, AModelMayScaleEachImageByItself) {
  const fs::path path = model();
  WeightSet set = read_weights(path);
  set.info.preprocessing = {{"scaling", "percentile_95"}};
  set.info.domains.at("a").range = set.info.domains.at("b").range = {200, 0};
  write_weights(path, set);
  const Translator t(path);
  const PixelLayout layout{kWidth, kHeight}, floats{kWidth, kHeight, 3, SampleType::f32};
  std::mt19937 random(3);
  Image dim = shade(random, 40), bright = dim;
  for (auto& byte : bright.bytes) byte = static_cast<std::uint8_t>(2 * byte);
  Image one = Image::blank(kWidth, kHeight, 3), other = one;
  t.translate(dim.u8(), layout, one.u8(), layout);
  t.translate(bright.u8(), layout, other.u8(), layout);
  EXPECT_EQ(one.bytes, other.bytes);
  std::vector<float> values(static_cast<std::size_t>(kWidth * kHeight * 3), 0.5F);
  EXPECT_THAT(error_of([&] { t.translate(values.data(), floats, values.data(), floats); }),
              AllOf(HasSubstr("percentile_95"), HasSubstr("8 or 16 bits")));
  const Image black = Image::blank(kWidth, kHeight, 3);
  EXPECT_THAT(error_of([&] { t.translate(black.u8(), layout, one.u8(), layout); }),
              HasSubstr("input image: its 95th percentile is 0"));
  EXPECT_EQ(one.bytes, other.bytes) << "untouched";
}

TranslatorOptions with_evidence() {
  TranslatorOptions out;
  out.evidence = true;
  return out;
}

TEST_F(Api, TheEvidenceIsOfTheSamplesThatAreDelivered) {
  const fs::path path = model();
  const Translator t(path, with_evidence());
  const Image image = random_image(3);
  const PixelLayout layout{kWidth, kHeight};
  Image out = Image::blank(kWidth, kHeight, 3);
  EvidenceOptions options;
  options.name = "scan 7";
  const std::string text = t.translate_with_evidence(image.u8(), layout, out.u8(), layout, options);
  EXPECT_EQ(out.bytes, expected(path, image));
  const Json evidence = Json::parse(text);
  EXPECT_EQ(evidence.at("input").at("file"), "scan 7");
  EXPECT_EQ(evidence.at("model").at("direction"), "a_to_b");
  EXPECT_EQ(evidence.at("output").at("delivered"), true);
  EXPECT_EQ(evidence.at("ensemble"), nullptr);
  EXPECT_EQ(evidence.at("doubtful"), false) << "nothing to compare with";

  // The way back from the rounded samples, by a translator of the other direction; the noise is all it lacks.
  TranslatorOptions opposite;
  opposite.direction = "b_to_a";
  const at::Tensor x = to_tensor(image, {}).unsqueeze(0), y = to_tensor(out, {}).unsqueeze(0);
  const double exact = (Translator(path, opposite).translate(y) - x).abs().mean().item<double>() / 2;
  EXPECT_NEAR(evidence.at("cycle_error").at("value").get<double>(), exact, 0.02);
  EXPECT_EQ(t.translate_with_evidence(image.u8(), layout, out.u8(), layout, options), text)
      << "deterministic";

  std::vector<float> floats(out.bytes.size());
  const PixelLayout f32{kWidth, kHeight, 3, SampleType::f32};
  const Json of_floats =
      Json::parse(t.translate_with_evidence(image.u8(), layout, floats.data(), f32, options));
  EXPECT_EQ(of_floats.at("input").at("hash"), evidence.at("input").at("hash"));
  EXPECT_NE(of_floats.at("output").at("hash"), evidence.at("output").at("hash"));
  EXPECT_THAT(error_of([&] {
                Translator(path).translate_with_evidence(image.u8(), layout, out.u8(), layout, options);
              }),
              HasSubstr("set evidence when it is loaded"));
}

TEST_F(Api, ModelsThatDifferAreDoubtedAndWithheld) {
  const fs::path path = model(), second = folder_ / "second.safetensors";
  testing::write_model(second, {{"a_to_b", generator(3, 3, 9)}, {"b_to_a", generator(3, 3, 10)}});
  const Translator t(path, with_evidence());
  Image image = random_image(3);
  const PixelLayout layout{kWidth, kHeight};
  EvidenceOptions options;
  options.also = {Translator(second)};
  options.ensemble = "mean";
  options.doubt_spread = 1e-6;
  Image out = Image::blank(kWidth, kHeight, 3);
  const Json json = Json::parse(t.translate_with_evidence(image.u8(), layout, out.u8(), layout, options));
  EXPECT_TRUE(json.at("doubtful"));
  EXPECT_THAT(json.at("ensemble").at("sentence").get<std::string>(), HasSubstr("bounds no error"));
  const at::Tensor x = to_tensor(image, {}).unsqueeze(0);
  const at::Tensor one = t.translate(x), two = Translator(second).translate(x);
  EXPECT_EQ(out.bytes, to_image(((one + two) / 2)[0]).bytes);
  EXPECT_NEAR(json.at("ensemble").at("spread").get<double>(),
              (one - two).abs().mean().item<double>() / std::sqrt(2.0) / 2, 1e-5);

  std::fill(out.bytes.begin(), out.bytes.end(), 0xEE);
  options.refuse_doubtful = true;
  const std::string refused = t.translate_with_evidence(image.u8(), layout, out.u8(), layout, options);
  EXPECT_EQ(Json::parse(refused).at("output").at("delivered"), false);
  EXPECT_EQ(out.bytes, std::vector<std::uint8_t>(out.bytes.size(), 0xEE));
  options.ensemble = "mode";
  EXPECT_THAT(error_of([&] { t.translate_with_evidence(image.u8(), layout, out.u8(), layout, options); }),
              AllOf(HasSubstr("mode"), HasSubstr("median")));
  options.ensemble = "first";
  options.also = {Translator(model(3, 1))};
  EXPECT_THAT(error_of([&] { t.translate_with_evidence(image.u8(), layout, out.u8(), layout, options); }),
              AllOf(HasSubstr("m31.safetensors"), HasSubstr("channels")));

  torsor_options c{};
  c.size = sizeof c;
  c.evidence = "on";
  torsor_model *m = torsor_load(path.c_str(), &c), *other = torsor_load(second.c_str(), nullptr);
  ASSERT_NE(m, nullptr) << torsor_last_error();
  torsor_evidence_options how{};
  how.size = sizeof how;
  how.also = &other;
  how.also_count = 1;
  how.ensemble = "mean";
  how.doubt_spread = 1e-6;
  how.refuse_doubtful = 1;
  const torsor_image in{image.u8(), TORSOR_U8, 3, kWidth, kHeight, 0, 0, 0};
  const torsor_image to{out.u8(), TORSOR_U8, 3, kWidth, kHeight, 0, 0, 0};
  const char* text = torsor_translate_with_evidence(m, &in, &to, &how);
  ASSERT_NE(text, nullptr) << torsor_last_error();
  EXPECT_EQ(text, refused);
  EXPECT_NE(torsor_translate_with_evidence(m, &in, &to, nullptr), nullptr);
  EXPECT_EQ(out.bytes, expected(path, image));
  EXPECT_EQ(torsor_translate_with_evidence(other, &in, &to, nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("keeps none"));
  torsor_free(m);
  torsor_free(other);
}

torsor_image image_at(void* data, std::int32_t channels = 3) {
  return {data, TORSOR_U8, channels, kWidth, kHeight, 0, 0, 0};
}

TEST_F(Api, TheCInterfaceDoesTheSame) {
  const fs::path path = model(3, 1);
  Image image = random_image(3);
  torsor_model* m = torsor_load(path.c_str(), nullptr);
  ASSERT_NE(m, nullptr) << torsor_last_error();
  EXPECT_EQ(torsor_in_channels(m), 3);
  EXPECT_EQ(torsor_out_channels(m), 1);
  EXPECT_EQ(torsor_describe(m), Translator(path).describe());
  std::vector<std::uint8_t> out(kWidth * kHeight);
  const torsor_image in = image_at(image.u8()), to = image_at(out.data(), 1);
  EXPECT_EQ(torsor_translate(m, &in, &to), 0) << torsor_last_error();
  EXPECT_EQ(out, expected(path, image));
  torsor_free(m);
  torsor_free(nullptr);
  EXPECT_STREQ(torsor_version(), "0.1.0");
}

TEST_F(Api, CFailuresAreToldToTheThreadThatHadThem) {
  EXPECT_EQ(torsor_load((folder_ / "gone").c_str(), nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("gone"));
  std::thread([] { EXPECT_STREQ(torsor_last_error(), ""); }).join();
  EXPECT_EQ(torsor_load(nullptr, nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("path is NULL"));
  EXPECT_EQ(torsor_in_channels(nullptr), 0);
  EXPECT_EQ(torsor_describe(nullptr), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("model is NULL"));
  torsor_model* m = torsor_load(model().c_str(), nullptr);
  std::vector<std::uint8_t> pixels(3 * kWidth * kHeight);
  torsor_image in = image_at(pixels.data());
  EXPECT_NE(torsor_translate(m, &in, nullptr), 0);
  const torsor_image out = in;
  in.type = 7;
  EXPECT_NE(torsor_translate(m, &in, &out), 0);
  EXPECT_THAT(torsor_last_error(), HasSubstr("sample type 7"));
  EXPECT_NE(torsor_set_threads(-3), 0);
  torsor_free(m);
}

// A caller that was compiled when the struct was shorter.
TEST_F(Api, FieldsBeyondTheCallersStructAreNotRead) {
  const fs::path path = model();
  torsor_options options{};
  options.direction = "b_to_a";
  options.device = "no such device";
  options.size = offsetof(torsor_options, device);
  torsor_model* m = torsor_load(path.c_str(), &options);
  ASSERT_NE(m, nullptr) << torsor_last_error();
  EXPECT_THAT(torsor_describe(m), HasSubstr("\"direction\": \"b_to_a\""));
  torsor_free(m);
  options.size = sizeof options;
  EXPECT_EQ(torsor_load(path.c_str(), &options), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("no such device"));
  options.size = 0;
  EXPECT_EQ(torsor_load(path.c_str(), &options), nullptr);
  EXPECT_THAT(torsor_last_error(), HasSubstr("sizeof(torsor_options)"));
}

TEST_F(Api, ManyThreadsMayShareAModelWhileOthersLoadAndFree) {
  const fs::path path = model();
  const Image image = random_image(3);
  const std::vector<std::uint8_t> bytes = expected(path, image);
  torsor_model* shared = torsor_load(path.c_str(), nullptr);
  const auto work = [&](int thread) {
    for (int round = 0; round < 6; ++round) {
      torsor_model* m = thread % 2 == 0 ? shared : torsor_load(path.c_str(), nullptr);
      std::vector<std::uint8_t> in = image.bytes, out(bytes.size());
      const torsor_image from = image_at(in.data()), to = image_at(out.data());
      EXPECT_EQ(torsor_translate(m, &from, &to), 0) << torsor_last_error();
      EXPECT_EQ(out, bytes);
      if (m != shared) torsor_free(m);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  torsor_free(shared);
}

}  // namespace
}  // namespace torsor
