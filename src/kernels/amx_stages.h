// Bf16Stages with AMX-BF16.
#pragma once

namespace torsor {

struct Bf16Stages;

/// Null where the CPU, the operating system or this build lacks AMX-BF16.
const Bf16Stages* amx_stages();

}  // namespace torsor
