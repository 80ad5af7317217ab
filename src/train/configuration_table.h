// The options of a run as people read them.
#pragma once

#include <string>

#include "train/config.h"

namespace torsor {

/// A Markdown table of all options with value, and default where it differs: those that differ first, then
/// the others, both in the order of the documentation. Values are JSON, as in config.json.
std::string configuration_table(TrainConfig config);

}  // namespace torsor
