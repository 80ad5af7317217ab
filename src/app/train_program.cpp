#include "app/train_program.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "interchange/weight_source.h"
#include "io/run_directory.h"
#include "train/init_from.h"

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

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Sets what no layer above has set; a model need not have all the options that another one's file has.
void set_unless_given(TrainProgram& p, const Json& values, const std::string& where,
                      std::vector<std::string>& given) {
  for (const auto& [key, value] : values.items()) {
    Option* const option = p.options.find(key);
    if (option == nullptr || contains(given, key)) continue;
    option->set(value, where);
    given.push_back(key);
  }
}

// Generated images are drawn at the size they are used in.
void adapt_to_data(TrainConfig& config, const std::vector<std::string>& given) {
  if (config.data.data.starts_with("generated:") && !contains(given, "load_size"))
    config.data.transform.load_size = config.data.transform.crop_size;
}

}  // namespace

void TrainSettings::describe(OptionSet& o) {
  config.describe(o);
  o.add("restart", restart,
        "begin again in a run directory whose run ended before its first checkpoint; its files are removed")
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
  // Flags were parsed first, so they are taken aside and put back.
  std::vector<std::string> given = given_names(p);
  Json flags = Json::object();
  for (const std::string& name : given) flags[name] = p.options.find(name)->value();
  if (!p.settings.config.run.config.empty()) {
    const Json file = read_json(p.settings.config.run.config);
    p.options.from_json(file, p.settings.config.run.config);
    for (const auto& [key, value] : file.items())
      if (!p.is_of_the_run(key))
        fail_usage("{}: '{}' is no option of a run; give {} with the command", p.settings.config.run.config,
                   key, p.options.find(key)->flag());
    for (const auto& [key, value] : file.items())
      if (!value.is_null() && !contains(given, key)) given.push_back(key);
    p.options.from_json(flags, "flags");
  }
  std::vector<std::string> set = given;
  const RunOptions run = p.settings.config.run;
  if (!run.init_from.empty())
    set_unless_given(p, network_options(open_weights(run.init_from)), "--init-from " + run.init_from, set);
  if (!run.preset.empty())
    set_unless_given(p, train_preset(run.preset, *p.settings.config.model), "--preset " + run.preset, set);
  adapt_to_data(p.settings.config, given);
  return given;
}

}  // namespace torsor::app
