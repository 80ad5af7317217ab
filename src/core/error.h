// One exception type for the whole library; nothing in the library prints or exits.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace torsor {

/// A failure a user can act on. The message is one line that names the file or option, says what was
/// expected and what to do. The program exits with 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Wrong use of an option, a configuration key or a command. The program exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// fail("{}: expected {}", path, what) throws torsor::Error with the formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) {
  throw Error(fmt::format(message, std::forward<Args>(args)...));
}

/// The same for UsageError.
template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> message, Args&&... args) {
  throw UsageError(fmt::format(message, std::forward<Args>(args)...));
}

}  // namespace torsor
