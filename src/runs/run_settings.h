// The settings of trainings that have been, compared with the defaults and with each other.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace torsor {

struct ChangedSetting {
  std::string name;
  Json value;
  Json standard;         // the default of the run's model
  bool is_known = true;  // false: no option of this torsor; the standard is then null
};

/// The options in a run's config.json that differ from their defaults, in the order of the options. An option
/// that this torsor does not know counts as one; so do all those of a model that it does not know.
std::vector<ChangedSetting> changed_settings(const Json& config);

/// A command that trains the same: the options that differ from their defaults, without those that say where
/// the settings came from (config, preset, time_budget, whose choices are among the others), what is shown,
/// and what no flag gives. `out` is the directory to make. An option that this torsor does not know is left
/// out.
std::string train_command(const Json& config, const std::string& out);

/// The value of an option for people: texts bare, "-" for nothing.
std::string setting_text(const Json& value);

struct ComparedSetting {
  std::string name;
  std::vector<Json> values;  // of each run; null where it has no such option
};

/// The options in which runs differ, but for where they are.
std::vector<ComparedSetting> differing_settings(const std::vector<Json>& configs);

}  // namespace torsor
