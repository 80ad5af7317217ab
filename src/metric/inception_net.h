// The Inception network of FID: InceptionV3 as TensorFlow's 2015 release has it, in evaluation mode.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "metric/weight_table.h"

namespace torsor {

/// The widths of the features that it has: after the first max-pool, after the second, after Mixed_6e, after
/// Mixed_7c.
inline const std::vector<std::int64_t> kInceptionWidths = {64, 192, 768, 2048};

/// Szegedy et al. 2015, "Rethinking the Inception Architecture", with what TensorFlow's release does
/// otherwise: the average pools count the positions inside alone, the last block pools by its maximum, and
/// BatchNorm adds 1e-3. Keys are pytorch-fid's; a table with or without num_batches_tracked is fine.
class InceptionNet {
 public:
  /// Throws Error naming the table's source and the key.
  InceptionNet(WeightTable& weights, const NetworkPlace& place);
  ~InceptionNet();
  InceptionNet(InceptionNet&&) noexcept;

  /// [N,3,299,299] in [-1,1] -> by width, the means over the positions [N,width]; nothing behind `widest` is
  /// computed.
  std::map<std::int64_t, at::Tensor> features(const at::Tensor& x, std::int64_t widest = 2048) const;

  /// Of the 2048 features: [N,2048] -> the scores [N,1008], with their biases or without (Inception Score).
  at::Tensor logits(const at::Tensor& features) const;
  at::Tensor logits_unbiased(const at::Tensor& features) const;

 private:
  struct Layers;
  std::unique_ptr<Layers> layers_;
};

}  // namespace torsor
