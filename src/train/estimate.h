// What a training step costs, measured by doing one.
#pragma once

#include "train/config.h"

namespace torsor {

struct StepCost {
  double seconds = 0;  // one step
  double bytes = 0;    // peak of all tensors: weights, gradients, moments, activations
};

enum class Trial {
  scaled,  // at a fraction of the size, scaled up by area: quick, within some 30 %
  full     // at the size itself
};

/// Times a step of a throw-away model with this configuration on random images of the crop size.
StepCost measure_step(const TrainConfig& config, Trial trial);

/// Sets crop size, width, blocks and schedule (those not in `fixed`, the names the user gave) so that training on
/// `dataset_size` items ends within `seconds`, decay included: the largest setting of a list that gets enough steps to learn.
/// Returns one line that says what was chosen and why. Throws UsageError when not even the smallest fits.
std::string fit_to_budget(TrainConfig& config, double seconds, std::int64_t dataset_size,
                          const std::vector<std::string>& fixed);

}  // namespace torsor
