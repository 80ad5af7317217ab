// What the last bits of a result depend on besides the configuration.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "model/placement.h"

namespace torsor {

/// {"torsor", "libtorch", "isa", "kernels", "cpu", "threads", "device"}: versions, the instruction sets that
/// libtorch and torsor's kernels use, the CPU's name, compute threads, cpu or cuda.
Json describe_environment(const Placement& placement);

/// "libtorch 2.12.0 then, 2.13.0 now", one a difference; what `then` lacks is ignored.
std::vector<std::string> environment_changes(const Json& then, const Json& now);

}  // namespace torsor
