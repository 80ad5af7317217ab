// The energy of a generator's residual blocks on images, for `torsor transport` and the audit.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/stop.h"
#include "model/placement.h"
#include "nn/network.h"
#include "transport/sample_units.h"
#include "transport/transport_result.h"

namespace torsor {

/// images: [N,C,H,W] in the network's range, in batches; without measures and with the reason for a generator
/// that has no such blocks, or none for images of this size. Throws StoppedError.
GeneratorBlocks generator_blocks(Generator& generator, const at::Tensor& images, const SampleUnits& units,
                                 const Placement& placement, const StopFlag& stop);

}  // namespace torsor
