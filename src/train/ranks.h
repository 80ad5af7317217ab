// Synchronisation of the ranks of one training.
#pragma once

#include "dist/context.h"
#include "model/model.h"
#include "train/scalars.h"

namespace torsor {

/// Replaces each gradient by its mean over the ranks: for losses that are means over the batch, the gradient
/// of all ranks' batches as one. Batch norm still sees one rank's batch.
class GradientMean : public GradientSync {
 public:
  explicit GradientMean(Context& context) : context_(context) {}
  /// Parameters without a gradient have none on any rank.
  void sync(Optimizer& optimizer) override;

 private:
  Context& context_;
};

/// Broadcasts rank 0's weights, buffers included.
void share_weights(const Model& model, Context& context);

/// Replaces the losses by their means over the ranks; the number of images becomes their sum.
void share_report(StepReport& report, Context& context);

/// Broadcasts rank 0's scalars: only rank 0 has observers that publish.
void share_scalars(StepScalars& scalars, Context& context);

}  // namespace torsor
