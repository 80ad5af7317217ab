// An exponential moving average of the generators' weights, which translates more steadily than the weights
// of any one step (Polyak averaging; for GANs Yazici et al., The Unusual Effectiveness of Averaging in GAN
// Training, 2019).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "io/archive.h"
#include "model/named_network.h"

namespace torsor {

/// After step t = 1, 2, ... a parameter's average is b * average + (1 - b) * weight with
/// b = min(decay, (1 + t) / (10 + t)), so that the first steps weigh little; it starts as the weight. Buffers
/// (running statistics) are copied.
class WeightAverage {
 public:
  /// Of those of `networks` that are generators, from their weights as they are. Throws UsageError unless
  /// `decay` is in (0, 1).
  WeightAverage(const std::vector<NamedNetwork>& networks, double decay);

  /// To be called once after each step.
  void update();

  /// The averages of a network by state-dict key, in the order of its state_dict(); null for one that is not
  /// averaged. They are the live tensors, on the network's device.
  const TensorMap* of(const std::string& network) const;

  /// Under "ema/<network>/<key>", and the number of steps.
  void save(Archive& archive) const;
  void load(const Archive& archive);

 private:
  struct Averaged {
    std::string name;
    std::shared_ptr<Network> network;
    TensorMap tensors;               // parallel to the network's state_dict()
    std::vector<bool> is_parameter;  // of each
  };

  double decay_;
  std::int64_t steps_ = 0;
  std::vector<Averaged> averaged_;
};

}  // namespace torsor
