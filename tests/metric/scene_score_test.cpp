#include "metric/scene_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace torsor {
namespace {

constexpr std::int64_t kImages = 200;

Domain other(Domain domain) { return domain == Domain::a ? Domain::b : Domain::a; }

/// One pass of the binomial filter 1 2 1 on both axes.
Image blurred(const Image& image) {
  Image out = image;
  const auto at = [&](std::int64_t x, std::int64_t y, std::int64_t c) -> int {
    x = std::clamp<std::int64_t>(x, 0, image.width - 1);
    y = std::clamp<std::int64_t>(y, 0, image.height - 1);
    return image.u8()[3 * (y * image.width + x) + c];
  };
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t x = 0; x < image.width; ++x)
      for (std::int64_t c = 0; c < 3; ++c) {
        int sum = 0;
        for (const std::int64_t j : {-1, 0, 1})
          for (const std::int64_t i : {-1, 0, 1}) sum += (i ? 1 : 2) * (j ? 1 : 2) * at(x + i, y + j, c);
        out.u8()[3 * (y * image.width + x) + c] = static_cast<std::uint8_t>((sum + 8) / 16);
      }
  return out;
}

/// As a network may draw it: blurred, with noise of 8 grey levels.
Image degraded(const Image& image, Rng& rng) {
  Image out = blurred(image);
  for (std::uint8_t& value : out.bytes)
    value = static_cast<std::uint8_t>(std::clamp(std::lround(value + 8 * rng.normal()), 0L, 255L));
  return out;
}

struct Setting {
  std::string task;
  Domain target;
  std::int64_t size;
};

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const std::string& task : scene_tasks())
    for (const Domain target : {Domain::a, Domain::b})
      for (const std::int64_t size : {32, 64, 128}) all.push_back({task, target, size});
  return all;
}

class SceneScoring : public ::testing::TestWithParam<Setting> {
 protected:
  SceneTruth truth(std::int64_t index) const {
    return generated_truth(GetParam().task, other(GetParam().target), Split::test, 3, index);
  }
  Image draw(Domain domain, const SceneTruth& truth) const {
    return render_scene(GetParam().task, domain, truth, GetParam().size);
  }
  Image input(std::int64_t index) const { return draw(other(GetParam().target), truth(index)); }
  Image right(std::int64_t index) const { return draw(GetParam().target, truth(index)); }

  SceneScore score(std::int64_t index, const Image& output) const {
    return score_scene(GetParam().task, GetParam().target, truth(index), input(index), output);
  }

  /// Scores output(index) for every image.
  template <class Output>
  SceneSummary score_all(Output output) const {
    std::vector<SceneScore> scores;
    for (std::int64_t i = 0; i < kImages; ++i) scores.push_back(score(i, output(i)));
    return summarize(scores);
  }
};

INSTANTIATE_TEST_SUITE_P(All, SceneScoring, ::testing::ValuesIn(settings()), [](const auto& setting) {
  std::string name = setting.param.task + (setting.param.target == Domain::a ? "_to_a_" : "_to_b_") +
                     std::to_string(setting.param.size);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(SceneScoring, TheRightTranslationPasses) {
  const SceneSummary summary = score_all([&](std::int64_t i) { return right(i); });
  EXPECT_GE(summary.pass, 0.95);
  EXPECT_LT(summary.hue_error.value(), 2);
}

TEST_P(SceneScoring, ABlurredNoisyTranslationOfAnotherHuePasses) {
  Rng rng(11);
  const SceneSummary summary = score_all([&](std::int64_t i) {
    SceneTruth rotated = truth(i);
    rotated.hue = std::fmod(rotated.hue + 1.0 / 6, 1);
    // Stripes may lie at any angle and phase.
    rotated.stripe_angle = rng.uniform(0, 3.14);
    rotated.stripe_phase = rng.uniform(0, 6.28);
    return degraded(draw(GetParam().target, rotated), rng);
  });
  EXPECT_GE(summary.pass, 0.95);
  EXPECT_NEAR(summary.hue_error.value(), 60, 4);
}

TEST_P(SceneScoring, TheUnchangedInputFailsByItsShape) {
  Rng rng(12);
  const SceneSummary plain = score_all([&](std::int64_t i) { return input(i); });
  EXPECT_LE(plain.pass, 0.05);
  EXPECT_LE(plain.shape, 0.05);
  EXPECT_EQ(plain.position, 1);
  EXPECT_EQ(plain.background, 1);
  EXPECT_LE(score_all([&](std::int64_t i) { return degraded(input(i), rng); }).pass, 0.05);
}

TEST_P(SceneScoring, TheTranslationOfAnotherImageFails) {
  const SceneSummary summary = score_all([&](std::int64_t i) { return right((i + 1) % kImages); });
  EXPECT_LE(summary.pass, 0.05);
  EXPECT_LE(summary.position, 0.1);
  EXPECT_LE(summary.background, 0.15);
}

TEST_P(SceneScoring, ConstantOutputsFail) {
  Image grey = right(0);
  std::fill(grey.bytes.begin(), grey.bytes.end(), std::uint8_t{128});
  EXPECT_LE(score_all([&](std::int64_t) { return grey; }).pass, 0.05);

  std::vector<double> sum(grey.bytes.size());
  for (std::int64_t i = 0; i < kImages; ++i) {
    const Image image = right(i);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += image.bytes[k];
  }
  Image mean = grey;
  for (std::size_t k = 0; k < sum.size(); ++k) mean.bytes[k] = static_cast<std::uint8_t>(sum[k] / kImages);
  EXPECT_LE(score_all([&](std::int64_t) { return mean; }).pass, 0.05);
}

TEST_P(SceneScoring, ErasingTheObjectFailsByItsShape) {
  const SceneSummary summary = score_all([&](std::int64_t i) {
    SceneTruth bare = truth(i);
    bare.radius = 0;
    return draw(GetParam().target, bare);
  });
  EXPECT_EQ(summary.shape, 0);
  EXPECT_EQ(summary.background, 1);
  EXPECT_FALSE(summary.hue_error.has_value());
}

TEST_P(SceneScoring, EachPartFailsAlone) {
  for (std::int64_t i = 0; i < 20; ++i) {
    SceneTruth moved = truth(i);
    // The shift must stay inside the neighbourhood that the background's score leaves out.
    moved.center_x += moved.center_x < 0.5 ? 0.08 : -0.08;
    moved.radius -= 0.03;
    const SceneScore shifted = score(i, draw(GetParam().target, moved));
    EXPECT_TRUE(shifted.shape && shifted.background) << i;
    EXPECT_FALSE(shifted.position) << i;
    EXPECT_NEAR(shifted.offset, 0.08, 0.01) << i;

    Image lighter = right(i);
    for (std::uint8_t& value : lighter.bytes) value = static_cast<std::uint8_t>(std::min(255, value + 25));
    const SceneScore paled = score(i, lighter);
    EXPECT_TRUE(paled.shape && paled.position) << i;
    EXPECT_FALSE(paled.background) << i;
    EXPECT_NEAR(paled.background_error, 25 / 255.0, 0.01) << i;

    SceneTruth shrunk = truth(i);
    shrunk.radius *= 0.7;
    const SceneScore small = score(i, draw(GetParam().target, shrunk));
    EXPECT_TRUE(small.position && small.background) << i;
    EXPECT_FALSE(small.shape) << i;
  }
}

TEST_P(SceneScoring, MeasuresWhatWasDrawn) {
  for (std::int64_t i = 0; i < 20; ++i) {
    const SceneScore found = score(i, right(i));
    EXPECT_GT(found.shape_overlap, 0.9);
    const double pixel = 1.0 / static_cast<double>(GetParam().size);
    EXPECT_NEAR(found.area_ratio, 1, 0.06 + pixel);
    EXPECT_LT(found.offset, 0.01 + 0.2 * pixel);
    EXPECT_EQ(found.background_error, 0);
    // Kept near the drawn stripes' full amplitude by the period that the score looks for.
    const bool striped = GetParam().task == "solid-striped" && GetParam().target == Domain::b;
    EXPECT_NEAR(found.stripes, striped ? 0.5 : 0, 0.09);
  }
}

TEST(SceneScore, ATurnedSquareIsNoSquare) {
  SceneTruth truth;
  const Image input = render_scene("circles-squares", Domain::a, truth, 64);
  Image output = input;
  for (std::int64_t y = 0; y < 64; ++y)
    for (std::int64_t x = 0; x < 64; ++x) {
      const double away = std::abs(x + 0.5 - 32) + std::abs(y + 0.5 - 32);
      const std::array<std::uint8_t, 3> color = away < 64 * 0.2 * std::sqrt(2.0)
                                                    ? std::array<std::uint8_t, 3>{235, 35, 35}
                                                    : std::array<std::uint8_t, 3>{128, 128, 128};
      std::copy(color.begin(), color.end(), output.u8() + 3 * (y * 64 + x));
    }
  const SceneScore score = score_scene("circles-squares", Domain::b, truth, input, output);
  EXPECT_TRUE(score.position);
  EXPECT_NEAR(score.area_ratio, 1, 0.06);
  EXPECT_FALSE(score.shape);
}

TEST(SceneScore, HueErrorIsCircular) {
  for (const double hue : {0.02, 0.25, 0.5, 0.98})
    for (const double turn : {-0.45, -0.1, 0.0, 0.05, 0.3}) {
      SceneTruth truth, turned;
      truth.hue = hue;
      turned.hue = std::fmod(hue + turn + 1, 1);
      const SceneScore score = score_scene("circles-squares", Domain::b, truth,
                                           render_scene("circles-squares", Domain::a, truth, 64),
                                           render_scene("circles-squares", Domain::b, turned, 64));
      EXPECT_NEAR(score.hue_error.value(), 360 * std::abs(turn), 1.5) << hue << " " << turn;
    }
}

TEST(SceneScore, RefusesImagesItCannotScore) {
  const Image image = render_scene("circles-squares", Domain::a, {}, 64);
  const auto score = [&](const Image& input, const Image& output) {
    return score_scene("circles-squares", Domain::b, {}, input, output);
  };
  EXPECT_THROW(score_scene("circles", Domain::b, {}, image, image), UsageError);
  EXPECT_THROW(score(image, render_scene("circles-squares", Domain::a, {}, 32)), Error);
  EXPECT_THROW(score(image, Image::blank(64, 64, 1)), Error);
  EXPECT_THROW(score(Image::blank(64, 32, 3), image), Error);
  EXPECT_THROW(score(image, Image::blank(64, 64, 3, PixelType::f32)), Error);
  EXPECT_NO_THROW(score(image, image));
  SceneTruth truth;
  for (const double radius : {0.0, 0.45, std::nan("")}) {
    truth.radius = radius;
    EXPECT_THROW(score_scene("circles-squares", Domain::b, truth, image, image), Error) << radius;
  }
}

TEST(SceneSummary, CountsShares) {
  SceneScore right, wrong;
  right.shape = right.position = right.background = true;
  right.hue_error = 30;
  wrong.position = true;
  const SceneSummary summary = summarize({right, wrong, wrong, right});
  EXPECT_EQ(summary.count, 4);
  EXPECT_EQ(summary.pass, 0.5);
  EXPECT_EQ(summary.shape, 0.5);
  EXPECT_EQ(summary.position, 1);
  EXPECT_EQ(summary.background, 0.5);
  EXPECT_EQ(summary.hue_error, 30);
  EXPECT_FALSE(summarize({wrong}).hue_error.has_value());
  EXPECT_THROW(summarize({}), Error);
}

}  // namespace
}  // namespace torsor
