// How the library throws its exceptions; nothing in it prints or exits.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "core/text.h"
#include "torsor/error.h"

namespace torsor {

/// fail("{}: expected {}", path, what) throws torsor::Error with the formatted message, which is one line
/// whatever the parts hold; the program exits with 1.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) {
  throw Error(one_line(fmt::format(message, std::forward<Args>(args)...)));
}

/// The same for UsageError; the program exits with 2.
template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> message, Args&&... args) {
  throw UsageError(one_line(fmt::format(message, std::forward<Args>(args)...)));
}

}  // namespace torsor
