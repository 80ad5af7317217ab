#include "train/settings_layers.h"

#include <algorithm>

#include "data/data_source.h"
#include "interchange/weight_source.h"
#include "train/init_from.h"

namespace torsor {

namespace {

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string model_of(const std::vector<SettingsLayer>& layers) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
    if (layer->values.contains("model")) return model_in(layer->values, layer->source);
  return kDefaultModel;
}

// Sets what no layer above has set; a model need not have all the options that another one's file has.
void set_unless_set(OptionSet& options, const SettingsLayer& layer, std::vector<std::string>& set) {
  for (const auto& [key, value] : layer.values.items()) {
    Option* const option = options.find(key);
    if (option == nullptr || is_in(set, key)) continue;
    option->set(value, layer.source);
    set.push_back(key);
  }
}

// Generated images are drawn at the size they are used in.
void adapt_to_data(TrainConfig& config, const std::vector<std::string>& given) {
  if (is_drawn(config.data.data) && !is_in(given, "load_size"))
    config.data.transform.load_size = config.data.transform.crop_size;
}

}  // namespace

ResolvedSettings resolve_settings(const std::vector<SettingsLayer>& layers) {
  ResolvedSettings out{TrainConfig{ModelChoice(model_of(layers))}, {}};
  TrainConfig& config = out.config;
  OptionSet options;
  config.describe(options);
  for (const SettingsLayer& layer : layers) {
    options.from_json(layer.values, layer.source);
    for (const auto& [key, value] : layer.values.items())
      if (!value.is_null() && !is_in(out.given, key)) out.given.push_back(key);
  }
  std::vector<std::string> set = out.given;
  const std::string from = config.run.init_from, preset = config.run.preset;
  if (!from.empty())
    set_unless_set(options, {network_options(open_weights(from)), "--init-from " + from}, set);
  if (!preset.empty())
    set_unless_set(options, {train_preset(preset, *config.model), "--preset " + preset}, set);
  adapt_to_data(config, out.given);
  config.read_files();
  return out;
}

}  // namespace torsor
