// The exceptions of torsor.
#pragma once

#include <stdexcept>

#ifndef TORSOR_API
#define TORSOR_API __attribute__((visibility("default")))
#endif

namespace torsor {

/// A failure a user can act on. The message is one line that names the file or option, says what was
/// expected and what to do.
class TORSOR_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Wrong use of an option, a configuration key or a command.
class TORSOR_API UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace torsor
