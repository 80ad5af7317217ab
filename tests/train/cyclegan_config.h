// The CycleGAN's own options of a training configuration.
#pragma once

#include "model/cyclegan_settings.h"
#include "train/config.h"

namespace torsor {

/// Throws std::bad_cast when the configuration is of another model.
inline CycleGanSettings& cyclegan(TrainConfig& config) {
  return dynamic_cast<CycleGanSettings&>(*config.model);
}
inline const CycleGanSettings& cyclegan(const TrainConfig& config) {
  return dynamic_cast<const CycleGanSettings&>(*config.model);
}

inline CycleGanSpec spec_of(const TrainConfig& config) {
  return cyclegan(config).spec(config.channels(), config.optimizer);
}

}  // namespace torsor
