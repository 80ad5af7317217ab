// Shared by the tests of the doctor: pictures that are unlike each other, and sets of their records.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "core/rng.h"
#include "doctor/checks.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor::testing {

/// Random waves in each channel, with a little noise.
inline Image waves(std::uint64_t seed, std::int64_t width = 64, std::int64_t height = 64,
                   std::int64_t channels = 3, double brightness = 1) {
  Image image = Image::blank(width, height, channels);
  Rng rng(seed);
  struct Wave {
    double across, down, begin;
  };
  std::vector<Wave> drawn;
  for (std::int64_t i = 0; i < 4 * channels; ++i)
    drawn.push_back({rng.uniform() * 24 - 12, rng.uniform() * 24 - 12, rng.uniform() * 6.28});
  for (std::int64_t i = 0; i < image.samples(); ++i) {
    const std::int64_t c = i % channels, p = i / channels;
    double sum = 0;
    for (std::int64_t k = 0; k < 4; ++k) {
      const Wave& wave = drawn[static_cast<std::size_t>(4 * c + k)];
      sum += std::sin(wave.across * static_cast<double>(p % width) / static_cast<double>(width) +
                      wave.down * static_cast<double>(p / width) / static_cast<double>(height) + wave.begin);
    }
    const double value = brightness * (128 + 28 * sum + 8 * rng.uniform());
    image.u8()[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
  return image;
}

inline Image constant(std::int64_t side, std::uint8_t value) {
  Image image = Image::blank(side, side, 3);
  std::fill(image.bytes.begin(), image.bytes.end(), value);
  return image;
}

inline ImageRecord recorded(const std::string& name, const Image& image, const ValueRange& range = {},
                            FeaturesOf features = FeaturesOf::whole) {
  ImageRecord out;
  out.name = name;
  out.pair_name = std::filesystem::path(name).replace_extension().string();
  record_image(image, SampleScale("white", range), features, name, out);
  return out;
}

inline SurveyedSet made_set(const std::string& title, Holds holds, Split split, std::int64_t count,
                            std::uint64_t seed, double brightness = 1) {
  SurveyedSet out;
  out.title = title;
  out.holds = holds;
  out.split = split;
  for (std::int64_t i = 0; i < count; ++i)
    out.images.push_back(recorded(fmt::format("{}_{:02}.png", title, i),
                                  waves(seed * 1000 + static_cast<std::uint64_t>(i), 64, 64, 3, brightness)));
  return out;
}

/// Two domains of 50 images and tests of 8, which have nothing that a check looks for.
inline const Survey& healthy_survey() {
  static const Survey survey = [] {
    Survey out;
    out.sets = {made_set("trainA", Holds::domain_a, Split::train, 50, 1),
                made_set("trainB", Holds::domain_b, Split::train, 50, 2, 0.7),
                made_set("testA", Holds::domain_a, Split::test, 8, 3),
                made_set("testB", Holds::domain_b, Split::test, 8, 4, 0.7)};
    return out;
  }();
  return survey;
}

inline std::vector<ImageFinding> found_by(const std::string& check, const Survey& survey) {
  return doctor_checks().at(check).find(survey);
}

}  // namespace torsor::testing
