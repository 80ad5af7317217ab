// The peak throughput of the CPU.
#pragma once

#include "kernels/bf16_stages.h"
#include "kernels/isa.h"

namespace torsor {

/// The peak of all OpenMP threads together, in GFLOP/s, by register-only fused multiply-adds. With bf16 only
/// for an instruction set with micro-kernels for it.
double measured_peak(Isa isa, Operands operands = Operands::fp32);

/// `rounds` times four AMX-BF16 tile products; returns the number of their operations.
double multiply_tiles(std::int64_t rounds);

}  // namespace torsor
