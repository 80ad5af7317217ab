#include "runs/run_settings.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "core/plain_text.h"
#include "core/shell.h"
#include "core/text.h"
#include "train/config.h"

namespace torsor {

namespace {

// What a run is called and what it shows; and where its settings came from, which hold without it.
constexpr std::array<const char*, 8> kNotOfTheResult = {"out",   "resume",      "config", "verbose",
                                                        "force", "time_budget", "preset", "report"};

bool is_of_the_result(const std::string& name) {
  return std::find(kNotOfTheResult.begin(), kNotOfTheResult.end(), name) == kNotOfTheResult.end();
}

// Null for a model that is not known.
Json defaults_of(const Json& config) {
  try {
    return options_to_json(TrainConfig{ModelChoice(model_in(config, "config.json"))});
  } catch (const UsageError&) {
    return nullptr;
  }
}

// Those that no flag gives: a run finds them out. None for a model that is not known.
std::set<std::string> hidden_options(const Json& config) {
  std::set<std::string> out;
  if (defaults_of(config).is_null()) return out;
  TrainConfig of{ModelChoice(model_in(config, "config.json"))};
  OptionSet options;
  of.describe(options);
  for (const Option& option : options.options())
    if (option.is_hidden()) out.insert(option.name());
  return out;
}

}  // namespace

std::vector<ChangedSetting> changed_settings(const Json& config) {
  const Json defaults = defaults_of(config);
  std::vector<ChangedSetting> out;
  if (defaults.is_object())
    for (const auto& [name, standard] : defaults.items())
      if (config.contains(name) && config.at(name) != standard)
        out.push_back({name, config.at(name), standard});
  // Among the options of its own model a model is the default.
  if (defaults.is_object() && defaults.at("model") != kDefaultModel)
    out.insert(out.begin(), {"model", defaults.at("model"), kDefaultModel});
  for (const auto& [name, value] : config.items())
    if (!defaults.is_object() || !defaults.contains(name)) out.push_back({name, value, nullptr, false});
  return out;
}

std::string train_command(const Json& config, const std::string& out) {
  const std::set<std::string> hidden = hidden_options(config);
  std::string line = "torsor train";
  for (const ChangedSetting& s : changed_settings(config))
    if (s.is_known && is_of_the_result(s.name) && !s.value.is_null() && !hidden.contains(s.name))
      line += " " + flag_text(s.name, s.value);
  return line + " --out " + shell_word(out);
}

std::string setting_text(const Json& value) {
  if (value.is_null() || value == Json("")) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  return plain_text(value);
}

std::vector<ComparedSetting> differing_settings(const std::vector<Json>& configs) {
  std::vector<std::string> names;
  for (const Json& config : configs)
    for (const auto& [name, value] : config.items())
      if (is_of_the_result(name) && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  std::vector<ComparedSetting> out;
  for (const std::string& name : names) {
    ComparedSetting compared{name, {}};
    for (const Json& config : configs) compared.values.push_back(config.value(name, Json()));
    const auto differs = [&](const Json& value) { return value != compared.values.front(); };
    if (std::any_of(compared.values.begin(), compared.values.end(), differs)) out.push_back(compared);
  }
  return out;
}

}  // namespace torsor
