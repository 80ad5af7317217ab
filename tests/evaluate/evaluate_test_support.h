// Shared by the tests of evaluation: small folders of images, and how they are scored.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/rng.h"
#include "evaluate/evaluation.h"
#include "image/codec.h"
#include "test_support.h"

namespace torsor::testing {

inline Image noise(std::uint64_t seed, std::int64_t side = 12, double brightness = 1) {
  Image image = Image::blank(side, side, 3);
  Rng rng(seed);
  for (std::int64_t i = 0; i < image.samples(); ++i)
    image.u8()[i] = static_cast<std::uint8_t>(brightness * static_cast<double>(rng.index(256)));
  return image;
}

/// Images 00.png, 01.png, ...: the same seed gives the same images.
inline std::filesystem::path noise_folder(const std::filesystem::path& folder, std::int64_t count,
                                          std::uint64_t seed, double brightness = 1) {
  std::filesystem::create_directories(folder);
  for (std::int64_t i = 0; i < count; ++i)
    write_image(folder / fmt::format("{:02}.png", i),
                noise(derive_seed(seed, "noise", {static_cast<std::uint64_t>(i)}), 12, brightness));
  return folder;
}

inline EvaluateOptions pixel_options(const std::string& metrics = "",
                                     const std::string& pairing = "unpaired") {
  EvaluateOptions out;
  out.metrics = metrics;
  out.pairing = pairing;
  out.features.features = "pixels";
  out.metric.resamples = 100;
  return out;
}

inline Evaluation evaluated(const FolderRequest& request, const EvaluateOptions& options,
                            const std::filesystem::path& cache = {}) {
  NullLog log;
  const StopFlag stop;
  SetScoring scoring(options, at::kCPU, cache, std::make_shared<NullLog>(), stop);
  return evaluate_folders(request, scoring, log);
}

inline const MetricResult& result_of(const Evaluation& evaluation, const std::string& metric) {
  return evaluation.parts.front().scores.metrics.at(metric);
}

}  // namespace torsor::testing
