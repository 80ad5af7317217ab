// A request to stop, set by a signal handler or another thread and polled by long work.
#pragma once

#include <atomic>

#include "core/error.h"

namespace torsor {

class StopFlag {
 public:
  void request(int signal = 0) {
    signal_.store(signal);
    requested_.store(true);
  }
  bool requested() const { return requested_.load(); }
  int signal() const { return signal_.load(); }  // the signal's number, 0 when it was not one

 private:
  std::atomic<bool> requested_{false};
  std::atomic<int> signal_{0};
};

/// What long work throws when it was asked to stop and has no result to return.
class StoppedError : public Error {
 public:
  StoppedError() : Error("stopped") {}
};

/// Throws StoppedError when a stop was requested.
inline void check_stop(const StopFlag& stop) {
  if (stop.requested()) throw StoppedError();
}

}  // namespace torsor
