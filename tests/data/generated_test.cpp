#include "data/generated.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "core/error.h"

namespace torsor {
namespace {

using ::testing::HasSubstr;

constexpr double kPi = std::numbers::pi;

class Generated : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Tasks, Generated, ::testing::ValuesIn(scene_tasks()), [](const auto& task) {
  std::string name = task.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

std::vector<SceneTruth> truths(const std::string& task, std::int64_t count) {
  std::vector<SceneTruth> out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back(generated_truth(task, Domain::a, Split::train, 7, i));
  return out;
}

const std::uint8_t* at(const Image& image, std::int64_t x, std::int64_t y) {
  return image.u8() + 3 * (y * image.width + x);
}

int colorfulness(const std::uint8_t* p) {
  return std::max({p[0], p[1], p[2]}) - std::min({p[0], p[1], p[2]});
}

TEST(GeneratedTasks, AreTheDocumentedOnes) {
  EXPECT_THAT(scene_tasks(), ::testing::ElementsAre("circles-squares", "solid-striped"));
  EXPECT_THAT(generated_tasks(),
              ::testing::ElementsAre("circles-squares", "solid-striped", "glyphs", "t1-flair"));
  EXPECT_EQ(generated_domain_name("circles-squares", Domain::a), "circles");
  EXPECT_EQ(generated_domain_name("circles-squares", Domain::b), "squares");
  EXPECT_EQ(generated_domain_name("glyphs", Domain::b), "glyphs");
  EXPECT_EQ(generated_domain_name("t1-flair", Domain::b), "flair");
}

TEST_P(Generated, SameArgumentsGiveTheSameBytes) {
  const auto one = make_generated_source(GetParam(), Domain::b, Split::test, 3, 5, 48);
  const auto two = make_generated_source(GetParam(), Domain::b, Split::test, 3, 50, 48);
  for (std::int64_t i = 0; i < 5; ++i) {
    const Image image = one->read(i);
    EXPECT_EQ(image.width, 48);
    EXPECT_EQ(image.height, 48);
    EXPECT_EQ(image.channels, 3);
    EXPECT_EQ(image.type, PixelType::u8);
    EXPECT_EQ(image.bytes, two->read(i).bytes) << "the count must not move the draws";
    const SceneTruth truth = generated_truth(GetParam(), Domain::b, Split::test, 3, i);
    EXPECT_EQ(image.bytes, render_scene(GetParam(), Domain::b, truth, 48).bytes);
  }
}

TEST_P(Generated, EveryArgumentMovesTheDraw) {
  std::set<double> hues;
  std::set<std::uint64_t> backgrounds;
  for (const Domain domain : {Domain::a, Domain::b})
    for (const Split split : {Split::train, Split::test})
      for (const std::uint64_t seed : {0, 1, 2})
        for (std::int64_t index = 0; index < 50; ++index) {
          const SceneTruth truth = generated_truth(GetParam(), domain, split, seed, index);
          hues.insert(truth.hue);
          backgrounds.insert(truth.background);
        }
  EXPECT_EQ(hues.size(), 600u);
  EXPECT_EQ(backgrounds.size(), 600u);
}

TEST_P(Generated, ObjectsLieInsideTheFrame) {
  for (const SceneTruth& truth : truths(GetParam(), 2000)) {
    for (const double centre : {truth.center_x, truth.center_y}) {
      EXPECT_GE(centre - truth.radius, 0.02);
      EXPECT_LE(centre + truth.radius, 0.98);
    }
    EXPECT_GE(truth.radius, 0.2);
    EXPECT_LE(truth.radius, 0.32);
  }
}

TEST_P(Generated, HuesAreUniform) {
  constexpr std::int64_t kCount = 4000;
  std::vector<double> hues;
  for (const SceneTruth& truth : truths(GetParam(), kCount)) hues.push_back(truth.hue);
  std::sort(hues.begin(), hues.end());
  ASSERT_GE(hues.front(), 0);
  ASSERT_LT(hues.back(), 1);
  double distance = 0;  // Kolmogorov-Smirnov
  for (std::size_t i = 0; i < hues.size(); ++i)
    distance = std::max({distance, (i + 1.0) / kCount - hues[i], hues[i] - i / static_cast<double>(kCount)});
  EXPECT_LT(distance, 1.63 / std::sqrt(kCount));  // 1 % level
}

TEST_P(Generated, BothDomainsShareTheBackground) {
  for (const SceneTruth& truth : truths(GetParam(), 10)) {
    const Image a = render_scene(GetParam(), Domain::a, truth, 64),
                b = render_scene(GetParam(), Domain::b, truth, 64);
    std::int64_t inside = 0, outside = 0;
    for (std::int64_t y = 0; y < 64; ++y)
      for (std::int64_t x = 0; x < 64; ++x) {
        const double dx = std::abs((x + 0.5) / 64 - truth.center_x),
                     dy = std::abs((y + 0.5) / 64 - truth.center_y);
        const bool differs = !std::equal(at(a, x, y), at(a, x, y) + 3, at(b, x, y));
        (std::max(dx, dy) < truth.radius + 1.0 / 64 ? inside : outside) += differs;
      }
    EXPECT_EQ(outside, 0);
    EXPECT_GT(inside, 20);
  }
}

TEST_P(Generated, IsTheSamePictureAtEverySize) {
  for (const SceneTruth& truth : truths(GetParam(), 10)) {
    const Image small = render_scene(GetParam(), Domain::b, truth, 64);
    const Image large = render_scene(GetParam(), Domain::b, truth, 128);
    double sum = 0;
    for (std::int64_t y = 0; y < 64; ++y)
      for (std::int64_t x = 0; x < 64; ++x)
        for (int c = 0; c < 3; ++c) {
          const int mean = (at(large, 2 * x, 2 * y)[c] + at(large, 2 * x + 1, 2 * y)[c] +
                            at(large, 2 * x, 2 * y + 1)[c] + at(large, 2 * x + 1, 2 * y + 1)[c] + 2) /
                           4;
          sum += std::abs(mean - at(small, x, y)[c]);
        }
    EXPECT_LT(sum / (64 * 64 * 3), 1) << "grey level on average";
  }
}

TEST_P(Generated, BackgroundsAreNeitherConstantNorAlike) {
  SceneTruth bare;
  bare.radius = 0;
  std::vector<Image> images;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    bare.background = seed;
    images.push_back(render_scene(GetParam(), Domain::a, bare, 32));
    const auto [low, high] = std::minmax_element(images.back().bytes.begin(), images.back().bytes.end());
    EXPECT_GT(*high - *low, 30) << seed;
  }
  for (std::size_t i = 1; i < images.size(); ++i) EXPECT_NE(images[i].bytes, images[0].bytes);
}

TEST(CirclesSquares, ObjectsHaveTheirArea) {
  for (const SceneTruth& truth : truths("circles-squares", 20))
    for (const Domain domain : {Domain::a, Domain::b}) {
      const Image image = render_scene("circles-squares", domain, truth, 128);
      // Backgrounds are strictly grey, so that colourfulness is the antialiased coverage times a constant.
      double sum = 0;
      const int full = colorfulness(at(image, static_cast<std::int64_t>(truth.center_x * 128),
                                       static_cast<std::int64_t>(truth.center_y * 128)));
      for (std::int64_t y = 0; y < 128; ++y)
        for (std::int64_t x = 0; x < 128; ++x) sum += colorfulness(at(image, x, y));
      const double area = (domain == Domain::a ? kPi : 4.0) * truth.radius * truth.radius;
      EXPECT_NEAR(sum / full / (128 * 128) / area, 1, 0.02);
    }
}

TEST(CirclesSquares, RotatingTheHueLeavesBackgroundValueAndSaturation) {
  for (SceneTruth truth : truths("circles-squares", 10)) {
    const Image before = render_scene("circles-squares", Domain::a, truth, 64);
    truth.hue = std::fmod(truth.hue + 1.0 / 3, 1);  // a third of the circle exchanges the channels
    const Image after = render_scene("circles-squares", Domain::a, truth, 64);
    for (std::int64_t y = 0; y < 64; ++y)
      for (std::int64_t x = 0; x < 64; ++x)
        for (int c = 0; c < 3; ++c) EXPECT_NEAR(at(after, x, y)[(c + 1) % 3], at(before, x, y)[c], 1);
  }
}

TEST(CirclesSquares, HuesLieOnACircleAroundTheGreyAxis) {
  for (const SceneTruth& truth : truths("circles-squares", 20)) {
    const Image image = render_scene("circles-squares", Domain::b, truth, 128);
    const std::uint8_t* p = at(image, static_cast<std::int64_t>(truth.center_x * 128),
                               static_cast<std::int64_t>(truth.center_y * 128));
    const double mean = (p[0] + p[1] + p[2]) / 3.0;
    EXPECT_NEAR(mean, 127.5, 1);
    EXPECT_NEAR(std::hypot(p[0] - mean, p[1] - mean, p[2] - mean), 0.42 * 255 * std::sqrt(1.5), 1);
  }
}

TEST(CirclesSquares, BackgroundsAreLitFromAbove) {
  SceneTruth bare;
  bare.radius = 0;
  for (bare.background = 0; bare.background < 50; ++bare.background) {
    const Image image = render_scene("circles-squares", Domain::a, bare, 64);
    double top = 0, bottom = 0;
    for (std::int64_t y = 0; y < 16; ++y)
      for (std::int64_t x = 0; x < 64; ++x) top += at(image, x, y)[0], bottom += at(image, x, 63 - y)[0];
    EXPECT_GT(top, bottom) << bare.background;
  }
}

TEST(SolidStriped, StripesAlternateAlongTheirAngleOnly) {
  for (SceneTruth truth : truths("solid-striped", 20)) {
    truth.stripe_phase = 0;  // the centre lies in the middle of a coloured stripe
    const Image solid = render_scene("solid-striped", Domain::a, truth, 256);
    const Image striped = render_scene("solid-striped", Domain::b, truth, 256);
    const auto changes = [&](const Image& image, double angle) {
      int count = 0, last = -1;
      for (double t = -0.95 * truth.radius; t < 0.95 * truth.radius; t += 0.002) {
        const std::uint8_t* p =
            at(image, static_cast<std::int64_t>((truth.center_x + t * std::cos(angle)) * 256),
               static_cast<std::int64_t>((truth.center_y + t * std::sin(angle)) * 256));
        const int white = std::min({p[0], p[1], p[2]}) > 140;
        count += last >= 0 && white != last;
        last = white;
      }
      return count;
    };
    EXPECT_GE(changes(striped, truth.stripe_angle), 4) << "two stripes of each kind";
    EXPECT_EQ(changes(striped, truth.stripe_angle + kPi / 2), 0);
    EXPECT_EQ(changes(solid, truth.stripe_angle), 0);
  }
}

TEST(GeneratedSource, NamesItsImages) {
  const auto a = make_generated_source("circles-squares", Domain::a, Split::train, 0, 3, 16);
  const auto b = make_generated_source("circles-squares", Domain::b, Split::test, 0, 3, 16);
  EXPECT_EQ(a->size(), 3);
  EXPECT_EQ(a->name(2), "a_train_00002.png");
  EXPECT_EQ(b->name(0), "b_test_00000.png");
}

template <class Expected, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  }
  return "no error";
}

TEST(GeneratedSource, RefusesWhatItCannotDraw) {
  const auto make = [](const char* task, std::int64_t count, std::int64_t size) {
    return message_of<UsageError>(
        [&] { make_generated_source(task, Domain::a, Split::train, 0, count, size); });
  };
  EXPECT_THAT(make("circle-squares", 3, 64), HasSubstr("did you mean 'circles-squares'?"));
  EXPECT_THAT(make("circles-squares", 0, 64), HasSubstr("count"));
  EXPECT_THAT(make("circles-squares", 3, 8), HasSubstr("at least 16"));
  EXPECT_THROW(generated_truth("x", Domain::a, Split::train, 0, 0), UsageError);
  EXPECT_THROW(render_scene("x", Domain::a, {}, 64), UsageError);
  const auto source = make_generated_source("solid-striped", Domain::b, Split::train, 0, 3, 16);
  for (const std::int64_t index : {-1, 3})
    EXPECT_THAT(message_of<Error>([&] { source->read(index); }), HasSubstr("there is no image"));
}

}  // namespace
}  // namespace torsor
