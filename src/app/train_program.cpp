#include "app/train_program.h"

#include <memory>

#include "core/error.h"
#include "io/run_directory.h"
#include "train/settings_layers.h"

namespace torsor::app {

namespace {

// The value that follows the flag; "" where it is not given. Parsing comes later and says what is wrong.
std::string value_after(const std::vector<std::string>& words, const std::string& flag) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == flag && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with(flag + "=")) return words[i].substr(flag.size() + 1);
  }
  return "";
}

// The model that a file of options is of; "" where there is none that can be read, which is said later.
std::string model_of_file(const std::string& path) {
  try {
    return model_in(read_json(path), path);
  } catch (const UsageError&) {
    throw;
  } catch (const Error&) {
    return "";
  }
}

// An option of the command alone, such as --quiet, has no place in the file of a run.
SettingsLayer config_file(TrainProgram& p, const std::string& path) {
  SettingsLayer file{read_json(path), path};
  if (file.values.is_object())
    for (const auto& [key, value] : file.values.items())
      if (const Option* option = p.options.find(key); option != nullptr && !p.is_of_the_run(key))
        fail_usage("{}: '{}' is no option of a run; give {} with the command", path, key, option->flag());
  return file;
}

}  // namespace

void TrainSettings::describe(OptionSet& o) {
  config.describe(o);
  o.add("restart", restart,
        "begin again in a run directory whose run ended before its first checkpoint; its files are removed")
      .common();
  o.add("seeds", seeds,
        "train once for each of these seeds, such as 0-4 or 3,8, in OUT/seed-N, as many at a time as "
        "processors and "
        "memory allow; the same command goes on where it was stopped")
      .common();
  progress.describe(o);
}

TrainProgram& TrainProgram::instance() {
  static TrainProgram program;
  return program;
}

void TrainProgram::bind(const std::string& model) {
  settings = TrainSettings();
  settings.config = TrainConfig(ModelChoice(model));
  options = OptionSet();
  settings.describe(options);
  of_the_run_ = options_to_json(settings.config);
}

void bind_model(const std::vector<std::string>& words) {
  const std::string asked = value_after(words, "--model"), config = value_after(words, "--config"),
                    run = value_after(words, "--resume");
  std::string stored;
  if (!run.empty())
    stored = model_of_file(RunDirectory(run).config().string());
  else if (!config.empty())
    stored = model_of_file(config);
  if (!asked.empty()) model_types().at(asked);
  if (!asked.empty() && !stored.empty() && asked != stored)
    fail_usage("--model {}: {} is of the model '{}'; leave --model out, or give other options", asked,
               run.empty() ? config : run, stored);
  const std::string model = !asked.empty() ? asked : stored;
  if (!model.empty()) TrainProgram::instance().bind(model);
}

std::vector<Variant> other_models() {
  static const std::vector<std::unique_ptr<TrainProgram>> programs = [] {
    std::vector<std::unique_ptr<TrainProgram>> out;
    for (const std::string& name : model_types().names())
      if (name != kDefaultModel) out.push_back(std::make_unique<TrainProgram>(name));
    return out;
  }();
  std::vector<Variant> out;
  for (const auto& program : programs)
    out.push_back({"--model " + program->settings.config.model.name(), &program->options});
  return out;
}

std::vector<std::string> given_names(const TrainProgram& p) {
  std::vector<std::string> names;
  for (const Option& option : p.options.options())
    if (option.given() && p.is_of_the_run(option.name())) names.push_back(option.name());
  return names;
}

std::vector<std::string> resolve_layers(TrainProgram& p) {
  std::vector<SettingsLayer> layers;
  const std::string file = p.settings.config.run.config;
  if (!file.empty()) layers.push_back(config_file(p, file));
  Json flags = Json::object();
  for (const std::string& name : given_names(p)) flags[name] = p.options.find(name)->value();
  layers.push_back({std::move(flags), "flags"});
  ResolvedSettings resolved = resolve_settings(layers);
  p.settings.config = resolved.config;
  return resolved.given;
}

}  // namespace torsor::app
