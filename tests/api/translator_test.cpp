// The C++ interface for other programs, through the shared library: memory layouts, errors.
#include <cstring>
#include <limits>
#include <random>

#include "api_test_support.h"
#include "core/json.h"
#include "data/fingerprint.h"
#include "data/tensor_image.h"
#include "kernels/isa.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::api::Api;
using testing::api::expected;
using testing::api::kHeight;
using testing::api::kWidth;
using testing::api::random_image;
using testing::api::translated;

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

}  // namespace
}  // namespace torsor
