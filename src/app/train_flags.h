// Flags of `torsor train` that contradict others.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"

namespace torsor::app {

/// Throws UsageError when one of the flags `given` has no effect with the values that other options have:
/// who gave it expects something of it.
void require_sense(OptionSet& options, const std::vector<std::string>& given);

}  // namespace torsor::app
