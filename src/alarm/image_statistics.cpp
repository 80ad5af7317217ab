#include "alarm/image_statistics.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace torsor {

namespace {

constexpr std::int64_t kThumbnail = 32;
constexpr std::int64_t kBins = 64;
constexpr double kFlat = 1e-4;  // a contrast far below one grey level

double rms(const at::Tensor& values) {
  return std::sqrt(values.to(at::kDouble).square().mean().item<double>());
}

}  // namespace

at::Tensor luminance(const at::Tensor& image) { return image.mean(0); }

at::Tensor thumbnail(const at::Tensor& image) {
  return at::adaptive_avg_pool2d(image.unsqueeze(0), {kThumbnail, kThumbnail})[0];
}

double contrast(const at::Tensor& image) {
  const at::Tensor pixels = image.flatten(1).to(at::kDouble);  // [C,HW]
  return rms(pixels - pixels.mean(1, /*keepdim=*/true));
}

double correlation(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor a = x.to(at::kDouble) - x.to(at::kDouble).mean(),
                   b = y.to(at::kDouble) - y.to(at::kDouble).mean();
  const double scale_a = rms(a), scale_b = rms(b);
  if (scale_a < kFlat || scale_b < kFlat) return 0;
  return (a * b).mean().item<double>() / (scale_a * scale_b);
}

double mean_distance(const UnitImages& images) {
  UnitImages small;
  for (const at::Tensor& image : images) small.push_back(thumbnail(image));
  double sum = 0;
  std::int64_t pairs = 0;
  for (std::size_t i = 0; i < small.size(); ++i)
    for (std::size_t j = i + 1; j < small.size(); ++j, ++pairs) sum += rms(small[i] - small[j]);
  return pairs == 0 ? 0 : sum / static_cast<double>(pairs);
}

at::Tensor mean_histogram(const UnitImages& images) {
  at::Tensor sum = at::zeros({kBins}, at::kDouble);
  for (const at::Tensor& image : images) {
    const at::Tensor counts =
        at::histc(luminance(image).clamp(0, 1).to(at::kFloat), kBins, 0, 1).to(at::kDouble);
    sum += counts / counts.sum();
  }
  return sum / static_cast<double>(images.size());
}

double histogram_distance(const at::Tensor& one, const at::Tensor& other) {
  return (one - other).cumsum(0).abs().sum().item<double>() / kBins;
}

double median(std::vector<double> values) {
  if (values.empty()) throw std::logic_error("the median of nothing");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace torsor
