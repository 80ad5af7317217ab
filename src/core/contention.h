// Whether other processes want the processors that this one uses.
#pragma once

#include "core/machine.h"

namespace torsor {

/// Told from looks a fraction of a second apart. It holds on a while: a neighbour that pauses comes back.
class Contention {
 public:
  explicit Contention(std::int64_t processors) : processors_(static_cast<double>(processors)) {}

  /// Takes one more look; the first gives no answer yet (false).
  bool look(const MachineUse& now);

 private:
  double processors_;
  MachineUse before_;
  bool has_looked_ = false, contended_ = false;
  int calm_ = 0;  // looks in a row at which nobody else wanted much
};

}  // namespace torsor
