// A command written so that it can be typed again.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"
#include "core/shell.h"

namespace torsor::app {

/// "torsor NAME", the positionals, the options that were given but those named in `without` (snake_case), and
/// the words in `more`.
std::string command_text(const std::string& name, const std::vector<std::string>& positionals,
                         const OptionSet& options, const std::vector<std::string>& without,
                         const std::string& more);

}  // namespace torsor::app
