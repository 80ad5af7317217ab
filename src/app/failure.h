// One line for people from whatever was thrown.
#pragma once

#include <exception>
#include <string>

namespace torsor::app {

/// What happened and, where we know it, what to do; without the names of source files, the stack or the
/// prefixes that libraries put before their messages.
std::string explain(const std::exception& error);

}  // namespace torsor::app
