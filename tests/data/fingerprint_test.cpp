// Fingerprints of domains: features by hand, independence of order and threads, what is told apart.
#include "data/fingerprint.h"

#include <cmath>
#include <map>
#include <random>
#include <thread>

#include "data/generated.h"
#include "data/image_features.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

std::map<std::string, double> named_features(const Image& image) {
  const std::vector<double> values = image_features(image);
  const auto& list = image_feature_list();
  EXPECT_EQ(values.size(), list.size());
  std::map<std::string, double> out;
  for (std::size_t i = 0; i < list.size(); ++i) out[list[i].name] = values[i];
  return out;
}

Image painted(std::int64_t width, std::int64_t height, std::int64_t channels,
              const std::function<int(std::int64_t x, std::int64_t y, std::int64_t c)>& value) {
  Image out = Image::blank(width, height, channels);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < channels; ++c)
        out.bytes[static_cast<std::size_t>((y * width + x) * channels + c)] =
            static_cast<std::uint8_t>(value(x, y, c));
  return out;
}

TEST(ImageFeatures, OfAPlainColour) {
  const auto f = named_features(painted(40, 30, 3, [](auto, auto, auto c) { return c == 0 ? 255 : 0; }));
  const double step = 1.0 / 255;
  EXPECT_NEAR(f.at("mean_y"), 1.0 / 3, 1e-12);
  EXPECT_NEAR(f.at("mean_p"), 1, 1e-12);
  EXPECT_NEAR(f.at("mean_q"), 0.5, 1e-12);
  for (const char* name : {"std_y", "std_p", "std_q", "lean_1", "lean_4", "top", "centre"})
    EXPECT_NEAR(f.at(name), 0, 1e-9) << name;
  for (const char* name : {"detail_1", "detail_8", "colour_edges"})
    EXPECT_NEAR(f.at(name), std::log(step), 1e-6) << name;
  EXPECT_EQ(f.at("flat"), 1);
}

TEST(ImageFeatures, OfStripesAndHalves) {
  // Columns of 0 and 255: neighbours across differ by 1, those below by nothing.
  const auto stripes = named_features(painted(64, 64, 1, [](auto x, auto, auto) { return x % 2 * 255; }));
  EXPECT_NEAR(stripes.at("lean_1"), 1 / (1 + 2.0 / 255), 1e-12);
  EXPECT_NEAR(stripes.at("flat"), 0.5, 1e-12);
  EXPECT_NEAR(stripes.at("std_y"), 0.5, 1e-12);
  // The mean around a pixel of 1 is 1/3, around one of 0 it is 2/3: H is 2/3 and -2/3 in turn.
  EXPECT_NEAR(stripes.at("detail_1"), std::log(2.0 / 3 + 1.0 / 255), 1e-9);
  EXPECT_NEAR(stripes.at("skew_1"), 0, 1e-9);
  EXPECT_NEAR(stripes.at("detail_2"), std::log(1.0 / 255), 1e-9);  // halved, they are grey
  const auto halves = named_features(painted(32, 32, 1, [](auto, auto y, auto) { return y < 16 ? 255 : 0; }));
  EXPECT_NEAR(halves.at("top"), 1, 1e-12);
  const auto inner = named_features(painted(
      32, 32, 1, [](auto x, auto y, auto) { return x >= 8 && x < 24 && y >= 8 && y < 24 ? 255 : 0; }));
  EXPECT_NEAR(inner.at("centre"), 0.75, 1e-12);
}

TEST(ImageFeatures, LargePicturesCountLikeTheirAverage) {
  std::mt19937 random(3);
  const Image small = painted(128, 96, 3, [&](auto, auto, auto) { return static_cast<int>(random() % 256); });
  const Image large = painted(3 * 128, 3 * 96, 3, [&](auto x, auto y, auto c) {
    return small.bytes[static_cast<std::size_t>(((y / 3) * 128 + x / 3) * 3 + c)];
  });
  const std::vector<double> one = image_features(small), other = image_features(large);
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_NEAR(one[i], other[i], 1e-9) << image_feature_list()[i].name;
}

TEST(ImageFeatures, AnySizeGivesNumbers) {
  for (const auto& [w, h] : {std::pair{1, 1}, {1, 500}, {500, 1}, {2, 2}, {3, 3}, {7, 300}, {129, 128}}) {
    for (const std::int64_t channels : {1, 3}) {
      const Image image = painted(w, h, channels, [](auto x, auto y, auto c) {
        return static_cast<int>((x * 7 + y * 13 + c * 50) % 256);
      });
      for (const double value : image_features(image)) EXPECT_TRUE(std::isfinite(value)) << w << "x" << h;
    }
  }
  EXPECT_THAT(error_of([] { image_features(Image::blank(4, 4, 2)); }), HasSubstr("2 channels"));
}

TEST(ImageFeatures, GreyEqualsThreeEqualChannels) {
  const Image grey =
      painted(50, 40, 1, [](auto x, auto y, auto) { return static_cast<int>((x * x + 3 * y) % 256); });
  const Image rgb =
      painted(50, 40, 3, [](auto x, auto y, auto) { return static_cast<int>((x * x + 3 * y) % 256); });
  const std::vector<double> one = image_features(grey), other = image_features(rgb);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], other[i], 1e-12);
}

// Two kinds of pictures that differ in brightness and grain.
Image picture(std::mt19937& random, int brightness, int grain) {
  std::uniform_int_distribution<int> noise(-grain, grain), level(-25, 25);
  const int base = brightness + level(random);
  return painted(24, 24, 3, [&](auto, auto, auto) { return std::clamp(base + noise(random), 0, 255); });
}

Fingerprints fingerprints_of(int images, int threads) {
  FingerprintBuilder a(images, 3), b(images, 3);
  std::vector<Image> of_a, of_b;
  std::mt19937 random(1);
  for (int i = 0; i < images; ++i) {
    of_a.push_back(picture(random, 90, 8));
    of_b.push_back(picture(random, 150, 40));
  }
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      for (int i = images - 1 - t; i >= 0; i -= threads) {
        a.add(i, of_a[static_cast<std::size_t>(i)]);
        b.add(i, of_b[static_cast<std::size_t>(i)]);
      }
    });
  for (auto& worker : workers) worker.join();
  return make_fingerprints(a, b);
}

TEST(Fingerprint, NeitherOrderNorThreadsShow) {
  const Fingerprints one = fingerprints_of(60, 1), many = fingerprints_of(60, 3);
  EXPECT_EQ(one.a.dump(), many.a.dump());
  EXPECT_EQ(one.b.dump(), many.b.dump());
}

TEST(Fingerprint, SummarisesTheSamples) {
  FingerprintBuilder builder(2, 1);
  builder.add(0, painted(2, 1, 1, [](auto x, auto, auto) { return x == 0 ? 0 : 255; }));
  builder.add(1, painted(2, 1, 1, [](auto, auto, auto) { return 8; }));
  const Json summary = builder.summary();
  EXPECT_EQ(summary.at("images"), 2);
  const Json& channel = summary.at("channels").at(0);
  EXPECT_NEAR(channel.at("mean").get<double>(), 271.0 / 4, 1e-6);
  EXPECT_NEAR(channel.at("std").get<double>(),
              std::sqrt((0 + 255 * 255 + 2 * 64) / 4.0 - 271.0 / 4 * 271 / 4), 1e-5);
  std::vector<std::int64_t> histogram(32, 0);
  histogram[0] = 1;
  histogram[1] = 2;
  histogram[31] = 1;
  EXPECT_EQ(channel.at("histogram").get<std::vector<std::int64_t>>(), histogram);
}

TEST(Fingerprint, AFewImagesTellNothing) {
  const Fingerprints few = fingerprints_of(15, 1), enough = fingerprints_of(16, 1);
  EXPECT_FALSE(Recogniser::possible(few.a, few.b));
  EXPECT_TRUE(Recogniser::possible(enough.a, enough.b));
  EXPECT_FALSE(Recogniser::possible(Json(), enough.b));
}

TEST(Fingerprint, AtMostFiveHundredImagesAreDescribed) {
  FingerprintBuilder builder(1234, 1);
  const Image dot = Image::blank(1, 1, 1);
  for (int i = 0; i < 1234; ++i) builder.add(i, dot);
  EXPECT_EQ(builder.features().size(0), 500);
  EXPECT_EQ(builder.summary().at("images"), 1234);
}

TEST(Recogniser, TellsTheDomainsAndTheRestApart) {
  const Fingerprints known = fingerprints_of(200, 1);
  const Recogniser a(known.a, known.b, "m"), b(known.b, known.a, "m");
  std::mt19937 random(99);
  int alarms = 0, found = 0, strange = 0;
  constexpr int kImages = 200;
  for (int i = 0; i < kImages; ++i) {
    const Image of_a = picture(random, 90, 8), of_b = picture(random, 150, 40),
                dark = picture(random, 10, 90);
    alarms += a.judge(of_a) != Likeness::own;
    alarms += b.judge(of_b) != Likeness::own;
    found += a.judge(of_b) == Likeness::other;
    found += b.judge(of_a) == Likeness::other;
    strange += a.judge(dark) == Likeness::neither;
  }
  EXPECT_LE(alarms, 2 * kImages * 5 / 100);
  EXPECT_GE(found, 2 * kImages * 95 / 100);
  EXPECT_GE(strange, kImages * 95 / 100);
}

// Domains of one kind: naming the other one would be a guess.
TEST(Recogniser, DomainsThatAreAlikeAreNotConfused) {
  FingerprintBuilder a(150, 3), b(150, 3);
  std::mt19937 random(4);
  for (int i = 0; i < 150; ++i) {
    a.add(i, picture(random, 90, 8));
    b.add(i, picture(random, 90, 8));
  }
  const Fingerprints known = make_fingerprints(a, b);
  EXPECT_LT(known.a.at("recognition").at("other_power").get<double>(), 0.2);
  const Recogniser judge(known.a, known.b, "m");
  int named = 0, odd = 0;
  for (int i = 0; i < 200; ++i) {
    const Likeness likeness = judge.judge(picture(random, 90, 8));
    named += likeness == Likeness::other;
    odd += likeness != Likeness::own;
  }
  EXPECT_EQ(named, 0);
  EXPECT_LE(odd, 10);
}

TEST(Recogniser, DamagedFingerprintsAreErrors) {
  const Fingerprints good = fingerprints_of(20, 1);
  const auto with = [&](const char* key, const Json& value) {
    Json bad = good.a;
    bad["recognition"][key] = value;
    return error_of([&] { Recogniser(bad, good.b, "the-model"); });
  };
  for (const char* key : {"mean", "sd", "correlation", "limit", "other_power", "features"})
    for (const Json& value : {Json(), Json("x"), Json::array({1, 2})})
      EXPECT_THAT(with(key, value), HasSubstr("the-model: the fingerprint")) << key << value;
  std::vector<double> impossible = good.a["recognition"]["correlation"];
  for (double& value : impossible) value = -0.9;
  EXPECT_THAT(with("correlation", impossible), HasSubstr("damaged"));
}

TEST(AlarmsBeyondChance, IsTheBinomialTail) {
  for (std::int64_t n = 1; n <= 120; ++n) {
    const std::int64_t count = alarms_beyond_chance(n);
    const auto tail = [&](std::int64_t from) {  // P(X >= from)
      double below = 0, term = std::pow(0.95, static_cast<double>(n));
      for (std::int64_t k = 0; k < from; ++k) {
        below += term;
        term *= static_cast<double>(n - k) / static_cast<double>(k + 1) * 0.05 / 0.95;
      }
      return 1 - below;
    };
    EXPECT_LE(tail(count), 0.05 + 1e-8) << n;
    if (count > 1) {
      EXPECT_GT(tail(count - 1), 0.05) << n;
    }
  }
  EXPECT_EQ(alarms_beyond_chance(1), 1);
  EXPECT_NEAR(static_cast<double>(alarms_beyond_chance(1000000)), 50000 + 1.645 * std::sqrt(47500), 3);
}

TEST(Fingerprint, OfManyChannelsHasNoFeatures) {
  FingerprintBuilder builder(1, 5);
  builder.add(0, Image::blank(4, 4, 5));
  EXPECT_EQ(builder.summary().at("channels").size(), 5U);
  EXPECT_EQ(builder.features().size(0), 0);
}

}  // namespace
}  // namespace torsor
