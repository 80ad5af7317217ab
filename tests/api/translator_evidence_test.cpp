// Evidence beside translations, through the shared library, in C++ and C.
#include <cmath>

#include "api_test_support.h"
#include "core/json.h"
#include "data/tensor_image.h"

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

}  // namespace
}  // namespace torsor
