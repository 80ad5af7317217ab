// The time and memory of steps of a temporary model.
#pragma once

#include <memory>
#include <vector>

#include "train/config.h"

namespace torsor {

/// The images of a step, of either domain.
struct Load {
  std::int64_t batch = 1, width = 0, height = 0;
  double pixels() const { return static_cast<double>(batch * width * height); }
};

/// Of one load. Bytes are those allocated by malloc beyond those before the model was built: tensors, and the
/// buffers of kernels and libtorch's libraries; on a GPU, tensors there.
struct StepTrial {
  double pixels = 0;    // of its batch
  double sampled = 0;   // pixels of the samples of either domain
  double seconds = 0;   // a step, the median of some; 0 when none was timed
  double resident = 0;  // bytes between steps: weights, gradients, moments, kernels' memory
  double step = 0;      // the peak during a step
  double sample = 0;    // the peak while samples of both domains are made
};

enum class Timing { none, steps };

/// A model with this configuration, without its history of images. Throws UsageError for unusable options.
class TrialModel {
 public:
  explicit TrialModel(const TrainConfig& config);
  ~TrialModel();

  /// Runs some steps on random images.
  StepTrial run(const Load& load, Timing timing);
  std::int64_t batches_per_step() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace torsor
