// Whether flows that were trained come back: what their model file says of it.
#pragma once

#include "core/log.h"
#include "data/batch.h"
#include "model/model_file.h"
#include "model/placement.h"

namespace torsor {

/// Fills in NetworkInfo::return_error of each flow in the set, as it is stored, from the first images of its
/// domain in `fixed` (real_a, real_b: [N,C,H,W]), and says it in a notice. Where a flow cannot be integrated
/// it stays open, with a warning.
void measure_returns(WeightSet& set, const Batch& fixed, const Placement& placement, LogSink& log);

}  // namespace torsor
