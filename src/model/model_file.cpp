#include "model/model_file.h"

#include <charconv>

#include "core/error.h"
#include "io/describe.h"
#include "io/safetensors.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

constexpr const char* kModelKey = "torsor.model";
constexpr const char* kFormatKey = "torsor.format";

Json domain_json(const DomainInfo& d) { return {{"name", d.name}, {"channels", d.channels}}; }
DomainInfo domain_from(const Json& j) { return {j.at("name"), j.at("channels")}; }

// The generator of this direction; of "" that of a_to_b, or the only one there is.
const NetworkInfo& generator_for(const ModelInfo& info, const std::string& direction,
                                 const std::string& source) {
  std::vector<const NetworkInfo*> generators;
  std::vector<std::string> there;
  for (const NetworkInfo& network : info.networks) {
    if (network.kind != "generator") continue;
    if (network.name == "g_" + (direction.empty() ? "a_to_b" : direction)) return network;
    generators.push_back(&network);
    there.push_back(network.name.substr(2));
  }
  if (direction.empty() && generators.size() == 1) return *generators.front();
  if (direction.empty())
    fail("{}: does not say which of its {} generators to use", source, generators.size());
  fail_usage("--direction {}: {} has no such generator (it has {})", direction, source, join(there));
}

}  // namespace

Json ModelInfo::to_json() const {
  Json nets = Json::array();
  for (const NetworkInfo& n : networks)
    nets.push_back({{"name", n.name}, {"kind", n.kind}, {"options", n.options}});
  return {{"type", type},
          {"networks", nets},
          {"domains", {{"a", domain_json(a)}, {"b", domain_json(b)}}},
          {"value_range", {{"white", white}, {"network", {-1, 1}}}},
          {"preprocessing", preprocessing},
          {"step", step},
          {"environment", environment},
          {"training", training}};
}

ModelInfo ModelInfo::from_json(const Json& json, const std::string& source) {
  try {
    ModelInfo info;
    info.type = json.at("type");
    for (const Json& n : json.at("networks"))
      info.networks.push_back({n.at("name"), n.at("kind"), n.at("options")});
    info.a = domain_from(json.at("domains").at("a"));
    info.b = domain_from(json.at("domains").at("b"));
    info.white = json.at("value_range").at("white");
    info.preprocessing = json.at("preprocessing");
    info.training = json.at("training");
    info.step = json.at("step");
    info.environment = json.contains("environment") ? json.at("environment")
                                                    : Json{{"libtorch", json.at("libtorch")}};  // format 1
    return info;
  } catch (const Json::exception&) {
    fail("{}: its description of the model is incomplete; it was written by another version of torsor",
         source);
  }
}

std::map<std::string, std::string> model_metadata(const ModelInfo& info) {
  return {{kFormatKey, std::to_string(kModelFormat)}, {kModelKey, info.to_json().dump()}};
}

ModelInfo read_model_info(const std::map<std::string, std::string>& metadata, const std::string& source) {
  const auto model = metadata.find(kModelKey), format = metadata.find(kFormatKey);
  if (model == metadata.end() || format == metadata.end())
    fail("{}: is a safetensors file but not a torsor model (it does not describe its networks)", source);
  int number = 0;
  const std::string& text = format->second;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || number < 1)
    fail("{}: is damaged: its model format is '{}', expected a number", source, printable(text));
  if (number > kModelFormat)
    fail("{}: has model format {}, this torsor reads up to {}; use the torsor that wrote it or a newer one",
         source, number, kModelFormat);
  return ModelInfo::from_json(parse_json(model->second, source), source);
}

LoadedGenerator load_generator(const std::filesystem::path& path, const std::string& direction) {
  const Safetensors file = read_safetensors(path);
  LoadedGenerator out;
  out.info = read_model_info(file.metadata, path.string());
  const NetworkInfo& network = generator_for(out.info, direction, path.string());
  out.options = options_from_json<GeneratorOptions>(network.options, path.string() + ": " + network.name);
  out.direction = network.name.substr(2);
  out.generator = make_generator(out.options);
  TensorMap weights;
  const std::string prefix = "net/" + network.name + "/";
  for (const auto& [name, tensor] : file.tensors)
    if (name.starts_with(prefix)) weights.emplace_back(name.substr(prefix.size()), tensor);
  load_state_dict(*out.generator, weights, path.string());
  out.generator->eval();
  return out;
}

}  // namespace torsor
