// Words of command lines that people copy.
#pragma once

#include <string>

namespace torsor {

/// The word as a POSIX shell takes it, quoted where it has to be.
std::string shell_word(const std::string& word);

}  // namespace torsor
