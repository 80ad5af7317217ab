// How often something happens: every so many steps, or every so much time.
#pragma once

#include <cstdint>
#include <string>

namespace torsor {

struct Cadence {
  std::int64_t steps = 0;  // 0 = not by steps
  double seconds = 0;      // 0 = not by time

  /// "500" (steps), "90s", "10min", "1h"; "0" = never. Throws UsageError naming `what` otherwise.
  static Cadence parse(const std::string& text, const std::string& what);

  bool is_never() const { return steps == 0 && seconds == 0; }

  /// After finished step `step`, `elapsed` seconds after the last time.
  bool due(std::int64_t step, double elapsed) const {
    return (steps > 0 && step % steps == 0) || (seconds > 0 && elapsed >= seconds);
  }
};

}  // namespace torsor
