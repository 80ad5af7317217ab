// EfficientNet-Lite0 up to its pooled features, in evaluation mode.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "metric/weight_table.h"

namespace torsor {

inline constexpr std::int64_t kEfficientNetWidth = 1280;

/// Tan and Le 2019, "EfficientNet", in its Lite variant: no squeeze-and-excitation, ReLU6 for Swish, stem and
/// head of fixed width; padding as TensorFlow's SAME. Keys are those of the package
/// efficientnet-lite-pytorch.
class EfficientNetLite0 {
 public:
  /// Throws Error naming the table's source and the key.
  EfficientNetLite0(WeightTable& weights, const NetworkPlace& place);

  /// [N,3,H,W], normalised as the package does it -> the means over the head's positions [N,1280].
  at::Tensor features(const at::Tensor& x) const;

 private:
  // A convolution behind which the size is ceil(size / stride).
  struct Unit {
    ConvUnit conv;
    std::int64_t stride, kernel;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    std::vector<Unit> expand;  // one, or none where it does not widen
    Unit depthwise, project;
    bool adds_input;
    at::Tensor operator()(const at::Tensor& x) const;
  };

  Unit stem_, head_;
  std::vector<Block> blocks_;
};

}  // namespace torsor
