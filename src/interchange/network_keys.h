// What the keys of a state dict tell of its network.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/tensor_map.h"

namespace torsor {

bool has_key(const TensorMap& weights, const std::string& key);

/// A side of a tensor with four; 0 when there is no such tensor.
std::int64_t kernel_side(const TensorMap& weights, const std::string& key, std::int64_t side);

/// "model.12.conv_block.5.weight" behind "model." -> 12.
std::optional<std::int64_t> index_after(const std::string& key, const std::string& prefix);

/// The first three keys, for messages; "none" of none.
std::string some_keys(const TensorMap& weights);

/// What a network's norms have, by the first of them and the convolution in front of it.
struct NormKeys {
  bool scales = false;            // "weight", "bias"
  bool keeps_statistics = false;  // "running_mean", "running_var"
  bool conv_bias = false;         // the convolution's
};
NormKeys norm_keys(const TensorMap& weights, const std::string& conv, const std::string& norm);

/// The children of "model" in a resnet, by their places.
struct ResnetKeys {
  std::vector<std::int64_t> convolutions;     // of the list itself, transposed ones too, in order
  std::set<std::int64_t> blocks;              // residual ones
  bool blurs_down = false, blurs_up = false;  // by kernels named "filt", of odd and of even sides

  std::int64_t halvings() const;  // convolutions between the first and the blocks, or half of the inner ones
  /// The place behind the blocks, or behind the last halving where there are none.
  std::int64_t first_doubling() const;
};
ResnetKeys resnet_keys(const TensorMap& weights);

}  // namespace torsor
