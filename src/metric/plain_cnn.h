// Networks that are convolutions, ReLUs and max-pools in a row: AlexNet and VGG of torchvision, and a random
// one.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "metric/weight_table.h"

namespace torsor {

struct PlainLayer {
  enum class Kind { conv, pool };
  Kind kind = Kind::conv;
  int index = 0;  // of a convolution: its key is "features.<index>"
  std::int64_t in = 0, out = 0, kernel = 3, stride = 1, padding = 0;  // a pool has the middle two
  bool tapped = false;  // of a convolution: what its ReLU gives is a tap
};

/// Krizhevsky 2014 in torchvision's numbering; taps after the ReLUs behind features 0, 3, 6, 8, 10.
std::vector<PlainLayer> alexnet_layers();
/// Simonyan and Zisserman 2015, 16 layers; taps after relu1_2, 2_2, 3_3, 4_3, 5_3.
std::vector<PlainLayer> vgg16_layers();
/// Pairs of 3x3 convolutions to these widths, halved by a max-pool between them; a tap behind each pair.
std::vector<PlainLayer> small_vgg_layers(const std::vector<std::int64_t>& widths);

class PlainCnn {
 public:
  /// Throws Error naming the table's source and the key. Leaves alone what it does not need.
  PlainCnn(std::vector<PlainLayer> layers, WeightTable& weights, const NetworkPlace& place);

  /// [N,3,H,W] -> the taps [N,C,h,w], in order.
  std::vector<at::Tensor> taps(const at::Tensor& x) const;

  std::vector<std::int64_t> tap_channels() const;

 private:
  std::vector<PlainLayer> layers_;
  std::vector<ConvUnit> convs_;  // in the order of the layers that are convolutions
};

/// Weights for small_vgg_layers(): uniform in +-sqrt(6 / fan_in) (He et al. 2015), biases 0, from a seed; the
/// same bits on every machine.
TensorMap random_weights(const std::vector<PlainLayer>& layers, std::uint64_t seed);

}  // namespace torsor
