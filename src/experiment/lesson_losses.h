// What the losses of a lesson's training came to, in units that can be judged without knowing its weights.
#pragma once

#include "runs/run_record.h"

namespace torsor {

/// Means of both directions; NaN where nothing finite was logged.
struct LessonLosses {
  /// The cycle loss without its weight: the mean absolute difference between an image and its translation
  /// back, as a share of the range of values. Like the next two over the last tenth of the steps.
  double cycle = 0;
  double generators = 0;       // adversarial; 0.25 where the discriminator cannot tell, 1 where it always can
  double discriminators = 0;   // 0.25 where it cannot tell, 0 where it always can
  ScalarSeries cycle_by_step;  // in the unit of `cycle`
};

/// Reads them from the log of a CycleGAN trained with least squares, the l1 cycle loss and weights above 0.
/// Throws Error when the log lacks one of them.
LessonLosses lesson_losses(const RunRecord& run);

}  // namespace torsor
