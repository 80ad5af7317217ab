// Bf16Stages by AMX.
#pragma once

namespace torsor {

struct Bf16Stages;

/// Null where this processor, this system or this build has no tiles of bfloat16.
const Bf16Stages* amx_stages();

}  // namespace torsor
