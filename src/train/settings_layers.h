// The settings of a training, resolved from layers: those of a command line, a server or an experiment over
// presets and defaults.
#pragma once

#include <string>
#include <vector>

#include "train/config.h"

namespace torsor {

/// Options of a training by their names, as in a config file, and their source, for messages.
struct SettingsLayer {
  Json values;
  std::string source;  // "settings.json", "flags"
};

struct ResolvedSettings {
  TrainConfig config;
  std::vector<std::string> given;  // names that the layers set: no preset and no time budget changes these
};

/// Defaults < the preset < the networks of --init-from < `layers`, the lowest first. The model is that of the
/// highest layer that names one; preset and init_from are those of the merged layers. What options take from
/// files is filled in (TrainConfig::read_files()). Not validated: a time budget may still choose. Throws
/// UsageError, naming the layer's source, for an unknown option or value and for layers of different models,
/// and Error when the model to begin from, or a file that an option names, cannot be read.
ResolvedSettings resolve_settings(const std::vector<SettingsLayer>& layers);

}  // namespace torsor
