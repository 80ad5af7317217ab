// The tensors of a file, handed out by key and shape to the network that is built of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/checksum.h"
#include "io/tensor_map.h"

namespace torsor {

class WeightTable {
 public:
  /// `source` is named in messages.
  WeightTable(TensorMap tensors, std::string source);

  /// The tensor, in float64. Throws Error naming the source and the key when it is missing (the nearest key
  /// is named), has another shape, is of whole numbers or is not finite.
  at::Tensor take(const std::string& key, const std::vector<std::int64_t>& shape);

  bool has(const std::string& key) const { return find_tensor(tensors_, key).defined(); }

  /// Throws Error naming the first tensor that nobody took. num_batches_tracked is nobody's, and what begins
  /// with one of `unused` need not be taken.
  void expect_all_taken(const std::vector<std::string>& unused = {}) const;

  /// XXH3-128 of what was taken so far, in that order: key, shape and values as float64.
  std::string hash() const { return hash_.hex(); }

  const std::string& source() const { return source_; }

 private:
  TensorMap tensors_;
  std::string source_;
  std::set<std::string> taken_;
  Checksum hash_;
};

/// A convolution with what follows it folded in: weights of the network's dtype, on its device.
struct ConvUnit {
  at::Tensor weight, bias;  // [out,in/groups,kh,kw], [out]
  std::vector<std::int64_t> stride = {1, 1}, padding = {0, 0};
  std::int64_t groups = 1;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// Where a network computes, and with how many digits.
struct NetworkPlace {
  c10::Device device{c10::kCPU};
  at::ScalarType dtype = at::kFloat;
};

struct ConvSpec {
  std::int64_t in = 0, out = 0;
  std::vector<std::int64_t> kernel = {1, 1}, stride = {1, 1}, padding = {0, 0};
  std::int64_t groups = 1;
};

/// <key>.weight and <key>.bias.
ConvUnit take_conv(WeightTable& weights, const std::string& key, const ConvSpec& spec,
                   const NetworkPlace& place);

/// <conv>.weight without a bias and the BatchNorm <norm>.{weight,bias,running_mean,running_var} behind it in
/// evaluation mode, as one convolution; folded in float64.
ConvUnit take_conv_norm(WeightTable& weights, const std::string& conv, const std::string& norm, double eps,
                        const ConvSpec& spec, const NetworkPlace& place);

}  // namespace torsor
