// What CUT compares patches by: pixels of a generator's features, each projected to a short vector of length
// 1 (Park, Efros, Zhang, Zhu, ECCV 2020; its PatchSampleF of the kind mlp_sample).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "nn/network.h"

namespace torsor {

/// "0,4,8" -> 0, 4, 8. Throws UsageError naming `where` for anything but numbers of at most nine digits
/// between commas.
std::vector<std::int64_t> whole_numbers(const std::string& text, const std::string& where);
/// The way back.
std::string number_list(const std::vector<std::int64_t>& numbers);

struct PatchFeatureOptions {
  std::string channels = "3,128,256,256,256";  // of each feature, in order
  std::int64_t width = 256;                    // of the projections

  void describe(OptionSet& o);  // as stored with a model
};

/// A perceptron of each feature: Linear, ReLU, Linear; keys mlp_<i>.0.weight [width,C_i], mlp_<i>.0.bias,
/// mlp_<i>.2.weight [width,width], mlp_<i>.2.bias.
struct PatchFeatures : Network {
  /// Throws UsageError for unusable options.
  explicit PatchFeatures(const PatchFeatureOptions& options);

  /// Pixels [R,C_i] of feature i -> [R,width], of length 1 as unit_rows() has it.
  at::Tensor project(std::size_t feature, const at::Tensor& pixels);

  /// All pixels of all features: [N, C_0 + C_1 + ..., H, W] -> [N, features x width, H, W].
  at::Tensor forward(const at::Tensor& x) override;
  SizeRule size_rule() const override { return {}; }

 private:
  std::vector<std::int64_t> channels_;
  std::vector<std::shared_ptr<LayerList>> mlps_;
};

/// Rows of [N,C,H,W] at these positions (0 to HW-1, row by row; [P], the same for each image) -> [N P, C],
/// image by image. The gradient comes back as [N,C,H,W] in memory: out of one with the channels last, which
/// CUT's program has, libtorch 2.13 makes a wrong gradient of an instance norm of one image on a CPU.
at::Tensor pixels_at(const at::Tensor& feature, const at::Tensor& positions);

/// v / (||v|| + 1e-7) for each row v of [R,C]. That is visibly shorter than 1 for the tiny vectors that
/// networks give before they have learnt. A row of zeros stays one, and gets a gradient of zero, where
/// CUT's program has NaN.
at::Tensor unit_rows(const at::Tensor& rows);

}  // namespace torsor
