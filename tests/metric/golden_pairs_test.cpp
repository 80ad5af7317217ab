#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_metrics.h"
#include "image/codec.h"
#include "metric/metrics.h"
#include "metric/ssim.h"

namespace torsor {
namespace {

using GoldenPairs = testing::GoldenMetrics;

struct Files {
  std::filesystem::path a, b;
};

ImagePair pair_of(const Files& files, PairChannels channels = PairChannels::as_stored) {
  const Image a = read_image(files.a), b = read_image(files.b);
  return image_pair({a, b, nullptr, files.a.string(), files.b.string()}, 255, channels);
}

// Both are "inf", or as near as float64 has them.
void expect_value(double value, const Json& expected, double tolerance, const std::string& what) {
  if (expected.is_string())
    EXPECT_EQ(json_number(value), expected) << what;
  else
    EXPECT_NEAR(value, expected.get<double>(), tolerance * std::max(1.0, std::abs(expected.get<double>())))
        << what;
}

void expect_all(const Files& files, const Json& expected) {
  const ImagePair rgb = pair_of(files), grey = pair_of(files, PairChannels::grey);
  const std::string name = files.a.filename().string();
  for (const char* metric : {"mae", "rmse", "psnr"})
    expect_value(score_pair(metric, rgb), expected[metric], 1e-13, name + " " + metric);
  for (const char* metric : {"mae", "psnr"})
    expect_value(score_pair(metric, grey), expected[std::string(metric) + "_gray"], 1e-13,
                 name + " grey " + metric);
  const std::vector<std::pair<std::string, std::string>> similarities = {{"ssim", "ssim_uniform"},
                                                                         {"ssim_gauss", "ssim_gauss"}};
  for (const auto& [metric, key] : similarities) {
    expect_value(score_pair(metric, rgb), expected[key + "_rgb"], 1e-13, name + " " + metric);
    expect_value(score_pair(metric, grey), expected[key + "_gray"], 1e-13, name + " grey " + metric);
  }
}

TEST_F(GoldenPairs, EachPair) {
  ASSERT_EQ(expected_["pairs"].size(), 24U);
  for (const auto& expected : expected_["pairs"]) {
    const Files files{folder_ / "a" / expected["name"], folder_ / "b" / expected["name"]};
    expect_all(files, expected);
    EXPECT_NEAR(multi_scale_ssim(pair_of(files), 3), expected["msssim_win3"], 1e-12) << expected["name"];
  }
}

TEST_F(GoldenPairs, MultiScaleSimilarity) {
  ASSERT_EQ(expected_["big"].size(), 2U);
  for (const auto& expected : expected_["big"]) {
    const Files files{folder_ / expected["a"], folder_ / expected["b"]};
    expect_all(files, expected);
    const ImagePair pair = pair_of(files);
    EXPECT_NEAR(score_pair("msssim", pair), expected["msssim"], 1e-12);
    EXPECT_NEAR(score_pair("msssim", pair), expected["msssim_package_default_f32_window"], 4e-7);
    EXPECT_NEAR(score_pair("ssim_gauss", pair), expected["ssim_pytorch_msssim"], 1e-13);
  }
}

MetricResult mean_over_pairs(const Json& pairs, const std::filesystem::path& folder,
                             const std::string& metric, PairChannels channels) {
  std::vector<double> values;
  for (const auto& pair : pairs)
    values.push_back(
        score_pair(metric, pair_of({folder / "a" / pair["name"], folder / "b" / pair["name"]}, channels)));
  return summarize_pairs(metric, values, ungrouped(std::ssize(values), 0), {});
}

TEST_F(GoldenPairs, Means) {
  const Json& means = expected_["means"];
  const auto mean = [&](const std::string& metric, PairChannels channels) {
    return mean_over_pairs(expected_["pairs"], folder_, metric, channels);
  };
  const std::vector<std::pair<std::string, std::string>> plain = {
      {"mae", "mae"}, {"rmse", "rmse"}, {"ssim", "ssim_uniform_rgb"}, {"ssim_gauss", "ssim_gauss_rgb"}};
  for (const auto& [metric, key] : plain)
    expect_value(mean(metric, PairChannels::as_stored).value, means[key], 1e-13, key);
  expect_value(mean("mae", PairChannels::grey).value, means["mae_gray"], 1e-13, "mae_gray");
  expect_value(mean("ssim", PairChannels::grey).value, means["ssim_uniform_gray"], 1e-13, "ssim_gray");
  expect_value(mean("ssim_gauss", PairChannels::grey).value, means["ssim_gauss_gray"], 1e-13, "gauss_gray");
  const MetricResult psnr = mean("psnr", PairChannels::as_stored);
  expect_value(psnr.value, means["psnr_over_finite"], 1e-13, "psnr");
  EXPECT_EQ(24 - psnr.details["infinite"].get<int>(), means["n_finite_psnr"]);
  expect_value(psnr.details["pooled"], means["psnr_pooled"], 1e-13, "psnr_pooled");
  expect_value(mean("rmse", PairChannels::as_stored).details["pooled"], means["rmse_pooled"], 1e-13, "rmse");
}

}  // namespace
}  // namespace torsor
