// What a training with each preset would take on this machine.
#pragma once

#include <string>
#include <vector>

#include "core/log.h"
#include "core/stop.h"

namespace torsor {

struct PresetCost {
  std::string name;
  std::int64_t crop = 0;      // pixels a side
  std::int64_t steps = 0;     // of the whole schedule
  double seconds_a_step = 0;  // within some 30 %
  double bytes = 0;           // resident memory at its largest, about
  bool fits = true;           // into the memory that is free now
  std::string bound = "";     // who limits the memory: "this machine has free"

  double seconds() const { return seconds_a_step * static_cast<double>(steps); }
};

/// Measures steps of the default model with each of these presets, for training sets of which the larger has
/// `images`. Takes seconds for each. Throws UsageError for an unknown preset, and StoppedError.
std::vector<PresetCost> preset_costs(const std::vector<std::string>& presets, std::size_t images,
                                     LogSink& log, const StopFlag& stop);

}  // namespace torsor
