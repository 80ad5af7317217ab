// What the processor could do at most.
#pragma once

#include "kernels/bf16_stages.h"
#include "kernels/isa.h"

namespace torsor {

/// Multiplies and adds a second of all OpenMP's threads together, in GFLOP/s, with nothing but registers.
/// Of bf16 for an instruction set that has stages for it.
double measured_peak(Isa isa, Operands operands = Operands::fp32);

/// `rounds` times four products of tiles of bfloat16; returns the number of their operations.
double multiply_tiles(std::int64_t rounds);

}  // namespace torsor
