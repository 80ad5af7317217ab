// What a training step costs, measured by doing one.
#pragma once

#include <functional>

#include "train/config.h"

namespace torsor {

struct StepCost {
  double seconds = 0;        // one step
  double bytes = 0;          // peak of all tensors: weights, gradients, moments, activations
  std::int64_t batches = 1;  // that a step pulls
};

enum class Trial {
  scaled,  // at a fraction of the size, scaled up by area: quick, within some 30 %
  full     // at the size itself
};

/// Times a step of a throw-away model with this configuration on random images of the crop size.
StepCost measure_step(const TrainConfig& config, Trial trial);

/// How fit_to_budget learns what a setting costs: measure_step, or a formula in a test.
using StepMeter = std::function<StepCost(const TrainConfig&, Trial)>;

/// Sets crop size, width, blocks and schedule (those not in `fixed`, the names the user gave) so that
/// training on `dataset_size` items ends within `seconds`, decay included: the largest setting of a list that
/// gets enough steps to learn. Returns one line that says what was chosen and why. Throws UsageError when not
/// even the smallest fits, or the epochs that the user gave do not; `config` is then as it was.
std::string fit_to_budget(TrainConfig& config, double seconds, std::int64_t dataset_size,
                          const std::vector<std::string>& fixed, const StepMeter& measure = measure_step);

}  // namespace torsor
