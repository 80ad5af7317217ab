// Weights of a formula, for networks whose real weights are too large to store or not ours to share.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "golden_folders.h"
#include "image/codec.h"
#include "image/convert.h"
#include "io/tensor_map.h"

namespace torsor::testing {

/// Where the numbers of other programs' metrics lie; its README states the formula.
inline std::filesystem::path golden_metrics() { return golden_folder().parent_path() / "golden-metrics"; }

#define TORSOR_NEEDS_GOLDEN_METRICS()                                              \
  if (!std::filesystem::exists(::torsor::testing::golden_metrics() / "README.md")) \
  GTEST_SKIP() << "no recorded metrics in " << ::torsor::testing::golden_metrics()

inline std::uint64_t fnv1a(const std::string& text) {
  std::uint64_t h = 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h;
}

/// Element i of a tensor of h: in [0, 1).
inline double formula_uniform(std::uint64_t h, std::uint64_t i) {
  std::uint64_t z = h + (i + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

/// The tensor `net`/`key` of this shape: float32, of a range that its kind asks for.
inline at::Tensor formula_tensor(const std::string& net, const std::string& key,
                                 const std::vector<std::int64_t>& shape) {
  if (key.ends_with("num_batches_tracked")) return at::zeros(shape, at::kLong);
  std::int64_t fan_in = 1;
  for (std::size_t d = 1; d < shape.size(); ++d) fan_in *= shape[d];
  const double bound = shape.size() > 1 ? std::sqrt(6.0 / static_cast<double>(fan_in)) : 0.2;
  const bool centred =
      shape.size() > 1 || key.ends_with("running_mean") || key.ends_with("bias");  // in +-bound
  const double spread = key.ends_with("running_var") ? 0.75 : 0.5;                 // else from 0.75 on
  at::Tensor out = at::empty(shape, at::kFloat);
  float* values = out.mutable_data_ptr<float>();
  const std::uint64_t h = fnv1a("7/" + net + "/" + key);
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    const double u = formula_uniform(h, static_cast<std::uint64_t>(i));
    values[i] = static_cast<float>(centred ? (2 * u - 1) * bound : 0.75 + spread * u);
  }
  return out;
}

struct FormulaKey {
  std::string key;
  std::vector<std::int64_t> shape;
};

/// The lines "key 32x3x3x3 float32" of a list of keys; "scalar" is the shape [].
inline std::vector<FormulaKey> read_formula_keys(const std::filesystem::path& path) {
  std::vector<FormulaKey> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, shape;
    if (!(words >> key >> shape)) continue;
    std::vector<std::int64_t> sides;
    std::istringstream numbers(shape == "scalar" ? "" : shape);
    for (std::string side; std::getline(numbers, side, 'x');) sides.push_back(std::stoll(side));
    out.push_back({key, sides});
  }
  return out;
}

inline TensorMap formula_weights(const std::string& net, const std::vector<FormulaKey>& keys) {
  TensorMap out;
  for (const FormulaKey& k : keys) out.emplace_back(k.key, formula_tensor(net, k.key, k.shape));
  return out;
}

/// An image of the recorded ones, RGB in f32.
inline Image golden_image(const std::string& name) {
  return with_channels(to_f32(read_image(golden_metrics() / name)), 3);
}

/// |x - y| / |y| over all elements.
inline double relative_l2(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor a = x.to(at::kDouble), b = y.to(at::kDouble);
  EXPECT_EQ(a.sizes(), b.sizes());
  return ((a - b).norm() / b.norm()).item<double>();
}

/// `count` images of a smooth pattern and noise, 8 bits.
inline std::vector<Image> patterned_images(std::int64_t count, std::int64_t width, std::int64_t height,
                                           std::int64_t channels = 3) {
  std::vector<Image> out;
  for (std::int64_t n = 0; n < count; ++n) {
    Image image = Image::blank(width, height, channels);
    for (std::int64_t i = 0; i < image.samples(); ++i) {
      const double wave = std::sin(0.02 * static_cast<double>(i * (n + 1)));
      const double noise = formula_uniform(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(i));
      image.u8()[i] = static_cast<std::uint8_t>(127 + 80 * wave + 40 * noise);
    }
    out.push_back(std::move(image));
  }
  return out;
}

}  // namespace torsor::testing
