// The settings of a training from several places: what a command line, a server or an experiment was given,
// over presets and defaults.
#pragma once

#include <string>
#include <vector>

#include "train/config.h"

namespace torsor {

/// Options of a training by their names, as in a config file, and who says so, for messages.
struct SettingsLayer {
  Json values;
  std::string source;  // "settings.json", "flags"
};

struct ResolvedSettings {
  TrainConfig config;
  std::vector<std::string> given;  // names that the layers set: no preset and no time budget changes these
};

/// Defaults < the preset < the networks of --init-from < `layers`, the lowest first. The model is the one
/// that the highest layer names that names one; preset and init_from are what the layers together say. Not
/// validated: a time budget may still choose. Throws UsageError, naming the layer's source, for an unknown
/// option or value and for layers of different models, and Error when the model to begin from cannot be read.
ResolvedSettings resolve_settings(const std::vector<SettingsLayer>& layers);

}  // namespace torsor
