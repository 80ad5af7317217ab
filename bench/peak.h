// What the processor could do at most.
#pragma once

#include "kernels/isa.h"

namespace torsor {

/// Multiplies and adds a second of all OpenMP's threads together, in GFLOP/s, with nothing but registers.
double measured_peak(Isa isa);

}  // namespace torsor
