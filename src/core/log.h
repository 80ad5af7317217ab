// Where the library says things: it never prints, the program decides.
#pragma once

#include <cstdint>
#include <string>

namespace torsor {

/// Receives one-line messages. Implementations must be thread-safe: loader threads report too.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void notice(const std::string& line) = 0;
  virtual void warning(const std::string& line) = 0;
  /// `done` of `total` of something ("trainings") are behind us.
  virtual void progress(const std::string& what, std::int64_t done, std::int64_t total) {}
};

/// Drops everything.
class NullLog : public LogSink {
 public:
  void notice(const std::string&) override {}
  void warning(const std::string&) override {}
};

}  // namespace torsor
