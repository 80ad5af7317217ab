#include "core/contention.h"

namespace torsor {

namespace {

// In processors.
constexpr double kMuch = 0.3, kLittle = 0.15, kFree = 0.5;
constexpr double kHeldBack = 0.05;  // of the time, by a control group's quota
constexpr int kCalmLooks = 4;

}  // namespace

bool Contention::look(const MachineUse& now) {
  const MachineUse before = before_;
  const double seconds = now.seconds - before.seconds;
  before_ = now;
  if (!has_looked_ || seconds <= 0) {
    has_looked_ = true;
    return contended_;
  }
  const double own = (now.own - before.own) / seconds, all = (now.all - before.all) / seconds;
  const double others = all - own;
  const bool held_back = (now.throttled - before.throttled) / seconds > kHeldBack;
  if (held_back || (others > kMuch && all > processors_ - kFree)) {
    contended_ = true;
    calm_ = 0;
  } else if (contended_) {
    calm_ = others < kLittle ? calm_ + 1 : 0;
    contended_ = calm_ < kCalmLooks;
  }
  return contended_;
}

}  // namespace torsor
