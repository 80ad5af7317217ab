// Words of command lines that people copy.
#pragma once

#include <string>

#include "core/json.h"

namespace torsor {

/// The word as a POSIX shell takes it, quoted where it has to be.
std::string shell_word(const std::string& word);

/// The flag that gives the option `name`, in snake case, this value: "--lr 0.0002", "--no-flip".
std::string flag_text(const std::string& name, const Json& value);

}  // namespace torsor
