#include "model/model_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "io/safetensors.h"
#include "model/model_keys.h"
#include "nn/flow.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

constexpr int kFloatDepth = 32;  // of 32-bit floats

int depth_of(PixelType type) { return type == PixelType::u8 ? 8 : type == PixelType::u16 ? 16 : kFloatDepth; }

PixelType type_of_depth(std::int64_t depth) {
  for (const PixelType type : {PixelType::u8, PixelType::u16, PixelType::f32})
    if (depth == depth_of(type)) return type;
  fail("its samples have {} bits, expected 8, 16 or {} (floats)", depth, kFloatDepth);
}

Json range_json(const ValueRange& range) {
  Json out = {{"bit_depth", depth_of(range.type)}, {"white", range.white}, {"black", range.black}};
  if (range.black_level != 0) out["black_level"] = range.black_level;
  return out;
}

Json domain_json(const DomainInfo& d) {
  Json out = {{"name", d.name}, {"channels", d.channels}, {"value_range", range_json(d.range)}};
  if (!d.fingerprint.is_null()) out["fingerprint"] = d.fingerprint;
  return out;
}

// One that the scaling can have.
ValueRange checked_range(const ValueRange& range, const std::string& scaling) {
  const bool rising = std::isfinite(range.white) && range.white > range.black_level;
  if (!scales_each_image(scaling) && !(range.black == -1 && rising))
    fail("its black and white are {} and {}, but with scaling {} black is -1 and white above {}", range.black,
         range.white, scaling, range.black_level);
  const bool within = range.type == PixelType::f32 || range.white <= full_scale(range.type);
  if (scales_each_image(scaling) && !(range.black == 0 && range.black_level == 0 && rising && within))
    fail("its black and white are {} and {}, but with scaling {} black is 0 and white a sample above it",
         range.black, range.white, scaling);
  return range;
}

// Up to format 3 an input's was computed from the scaling alone, so that another would have gone unnoticed.
ValueRange range_from(const Json& json, const std::string& scaling, int format) {
  ValueRange range{json.at("white"), json.value("black", -1.0), json.value("black_level", 0.0)};
  if (json.contains("bit_depth")) range.type = type_of_depth(json_count(json.at("bit_depth")));
  if (format < 4 && !scales_each_image(scaling) && range != ValueRange{})
    fail("its black and white are {} and {}, but with scaling {} they are -1 and 255", range.black,
         range.white, scaling);
  return checked_range(range, scaling);
}

// `of_all` is where formats 1 and 2 have the range; null since.
DomainInfo domain_from(const Json& j, const Json& of_all, const std::string& scaling, int format) {
  if (!of_all.is_null() && j.contains("value_range")) fail("it has a value range of its own and one for all");
  const Json& range = of_all.is_null() ? j.at("value_range") : of_all;
  DomainInfo out{j.at("name"), json_count(j.at("channels")), {}, j.value("fingerprint", Json())};
  out.range = range_from(range, scaling, format);
  return out;
}

// Names are parts of options and of messages.
std::string checked_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= 64 &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!good) fail("'{}' is not a network's name", printable(name));
  return name;
}

// The shapes first, before memory is allocated: a few damaged digits can describe a network of any size.
std::shared_ptr<Network> filled_network(const WeightSet& set, const NetworkInfo& network) {
  {
    const ShapesOnly outline;
    check_state_dict(*make_network(network, set.source), used_weights(set, network.name), set.source);
  }
  auto out = make_network(network, set.source);
  load_state_dict(*out, used_weights(set, network.name), set.source);
  out->eval();
  return out;
}

// Puts a tensor whose name is "<prefix><network>/<key>" with its network's; others are of no network.
void collect(const std::string& name, const at::Tensor& tensor, const std::string& prefix,
             std::map<std::string, TensorMap>& networks) {
  const std::size_t slash = name.find('/', prefix.size());
  if (!name.starts_with(prefix) || slash == std::string::npos) return;
  networks[name.substr(prefix.size(), slash - prefix.size())].emplace_back(name.substr(slash + 1), tensor);
}

Json network_json(const NetworkInfo& n) {
  Json out = {{"name", n.name},
              {"kind", n.kind},
              {"options", n.options},
              {"sides", {{"multiple_of", n.sides.multiple}, {"at_least", n.sides.minimum}}}};
  if (n.maps.is_known()) out.update({{"from", n.maps.from}, {"to", n.maps.to}});
  // Under another key: who does not know of classes would show it images alone.
  if (!n.sees.empty()) out[n.labels.empty() ? "sees" : "sees_labelled"] = n.sees;
  if (!n.labels.empty()) out["labels"] = n.labels;
  if (n.return_error) out["return_error"] = *n.return_error;
  return out;
}

// Up to format 3 a network's name alone said between which domains it is.
void place_by_name(NetworkInfo& network) {
  if (network.name.starts_with("g_")) network.maps = Direction::named(network.name.substr(2));
  if (network.name == "d_a" || network.name == "d_b") network.sees = {network.name.substr(2)};
}

NetworkInfo network_from(const Json& json, int format) {
  NetworkInfo out{checked_name(json.at("name")), json.at("kind"), json.at("options"), {}};
  if (json.contains("sides"))  // since format 2
    out.sides = {json_count(json.at("sides").at("multiple_of")), json_count(json.at("sides").at("at_least"))};
  if (format < 4) {
    place_by_name(out);
    return out;
  }
  if (json.contains("from")) out.maps = {json.at("from"), json.at("to")};
  if (json.contains("return_error")) out.return_error = json.at("return_error").get<double>();
  if (json.contains("labels")) out.labels = json.at("labels").get<std::vector<std::string>>();
  const char* const sees = out.labels.empty() ? "sees" : "sees_labelled";
  if (json.contains(sees)) out.sees = json.at(sees).get<std::vector<std::string>>();
  return out;
}

void check_domains(const ModelInfo& info) {
  std::set<std::string> names;
  for (const NetworkInfo& network : info.networks) {
    if (!names.insert(network.name).second) fail("it has two networks of the name '{}'", network.name);
    std::vector<std::string> keys = network.sees;
    if (network.maps.is_known()) keys.insert(keys.end(), {network.maps.from, network.maps.to});
    for (const std::string& key : keys)
      if (!info.domains.contains(key))
        fail("its network '{}' is of a domain '{}', which it does not have", network.name, printable(key));
  }
}

}  // namespace

void add_note_and_licence(OptionSet& o, std::string& note, std::string& licence) {
  o.add("note", note, "a note that the model file keeps").changeable();
  o.add("licence", licence, "the licence of the weights, kept in the model file").changeable();
}

std::string ModelInfo::scaling() const {
  return preprocessing.is_object() ? preprocessing.value("scaling", TransformOptions().scaling)
                                   : TransformOptions().scaling;
}

const DomainInfo& ModelInfo::domain(const std::string& key) const {
  const auto found = domains.find(key);
  if (found == domains.end()) fail("the model has no domain '{}'", printable(key));
  return found->second;
}

Json ModelInfo::to_json() const {
  Json nets = Json::array(), all = Json::object();
  for (const auto& [key, domain] : domains) all[key] = domain_json(domain);
  for (const NetworkInfo& n : networks) nets.push_back(network_json(n));
  Json out = {{"type", type}, {"networks", nets},   {"domains", all}, {"preprocessing", preprocessing},
              {"note", note}, {"licence", licence}, {"step", step},   {"environment", environment}};
  if (!calibration.is_null()) out["calibration"] = calibration;
  if (!anchors.empty()) out["anchors"] = anchors;
  out["training"] = training;
  return out;
}

ModelInfo ModelInfo::from_json(const Json& json, const std::string& source, int format) {
  try {
    ModelInfo info;
    info.type = json.at("type");
    for (const Json& n : json.at("networks")) info.networks.push_back(network_from(n, format));
    info.preprocessing = json.at("preprocessing");
    const auto known = scalings();
    if (std::find(known.begin(), known.end(), info.scaling()) == known.end())
      fail("the scaling of its preprocessing is '{}', none of {}", printable(info.scaling()), join(known));
    const Json of_all = json.value("value_range", Json());
    info.domains.clear();
    for (const auto& [key, domain] : json.at("domains").items())
      info.domains[checked_name(key)] = domain_from(domain, of_all, info.scaling(), format);
    check_domains(info);
    info.training = json.at("training");
    info.step = json_count(json.at("step"));
    info.note = json.value("note", "");
    info.licence = json.value("licence", "");
    if (json.contains("calibration")) info.calibration = json.at("calibration");
    info.anchors = json.value("anchors", std::vector<std::string>());
    // Assigned one by one: GCC 12 destroys the values of an initializer list twice when one of them throws.
    if (json.contains("environment"))
      info.environment = json.at("environment");
    else
      info.environment["libtorch"] = json.at("libtorch");  // format 1
    return info;
  } catch (const Json::exception& error) {
    fail(
        "{}: its description of the model, '{}', is incomplete, damaged or of another version of torsor "
        "({}); use another copy",
        source, kModelKey, json_reason(error));
  } catch (const Error& error) {
    fail("{}: its description of the model, '{}', is damaged: {}; use another copy", source, kModelKey,
         error.what());
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
  return ModelInfo::from_json(parse_json(model->second, source + ": " + kModelKey), source, number);
}

const TensorMap& used_weights(const WeightSet& set, const std::string& network) {
  const auto averaged = set.averaged.find(network);
  return averaged == set.averaged.end() ? set.weights.at(network) : averaged->second;
}

WeightSet read_weights(const std::filesystem::path& path) {
  Safetensors file = read_safetensors(path);
  WeightSet set;
  set.source = path.string();
  set.what = file.metadata.contains(kStateKey) ? "torsor checkpoint" : "torsor model";
  set.info = read_model_info(file.metadata, set.source);
  for (const auto& [name, tensor] : file.tensors) {
    collect(name, tensor, kNetworksPrefix, set.weights);
    collect(name, tensor, kAveragedPrefix, set.averaged);
  }
  for (const NetworkInfo& network : set.info.networks)
    if (!set.weights.contains(network.name))
      fail("{}: is damaged: it describes the network '{}' but has no weights of it", set.source,
           printable(network.name));
  return set;
}

void write_weights(const std::filesystem::path& path, const WeightSet& set) {
  Safetensors file{{}, model_metadata(set.info)};
  for (const NetworkInfo& network : set.info.networks) {
    if (set.weights.at(network.name).empty())
      fail("{}: {} has no weights, so there is nothing to keep in a file; give {} itself as MODEL",
           set.source, network.name, set.source);
    for (const auto& [key, tensor] : set.weights.at(network.name))
      file.tensors.emplace_back(kNetworksPrefix + network.name + "/" + key, tensor);
    const auto averaged = set.averaged.find(network.name);
    if (averaged == set.averaged.end()) continue;
    for (const auto& [key, tensor] : averaged->second)
      file.tensors.emplace_back(kAveragedPrefix + network.name + "/" + key, tensor);
  }
  write_safetensors(path, file);
}

const NetworkInfo* find_discriminator(const ModelInfo& info, const std::vector<std::string>& sees) {
  for (const NetworkInfo& network : info.networks)
    if (network.kind == kDiscriminatorKind && !sees.empty() && network.sees == sees && network.labels.empty())
      return &network;
  return nullptr;
}

const NetworkInfo& generator_for(const WeightSet& set, const std::string& direction) {
  const Direction wanted = direction.empty() ? kAToB : Direction::named(direction);
  if (const NetworkInfo* found = find_translator(set.info.networks, wanted)) return *found;
  std::vector<const NetworkInfo*> generators;
  std::vector<std::string> there;
  for (const NetworkInfo& network : set.info.networks) {
    if (network.kind != kGeneratorKind) continue;
    generators.push_back(&network);
    there.push_back(network.maps.name());
  }
  if (generators.empty())
    fail(
        "{}: holds a discriminator, which cannot translate; give the generator's file (…_net_G_A.pth, "
        "…_net_G_B.pth)",
        set.source);
  if (direction.empty() && generators.size() == 1) return *generators.front();
  if (direction.empty())
    fail("{}: does not say which of its {} generators to use", set.source, generators.size());
  if (there == std::vector<std::string>{""})
    fail_usage(
        "--direction {}: {} holds one generator and does not say of which direction; leave --direction out",
        direction, set.source);
  fail_usage("--direction {}: {} has no such generator (it has {})", direction, set.source, join(there));
}

namespace {

// Whether generator_for() found a flow of the opposite direction.
bool goes_back(const LoadedGenerator& loaded, const std::string& direction) {
  const Direction wanted = direction.empty() ? kAToB : Direction::named(direction);
  return is_invertible(loaded.options) && loaded.direction.is_known() &&
         loaded.direction == wanted.opposite();
}

std::string inverse_text(const NetworkInfo& network) {
  const std::string what =
      fmt::format("{} is {} integrated backwards", network.maps.opposite().name(), network.maps.name());
  if (!network.return_error) return what;
  return fmt::format(
      "{}; images of its training came back with a mean difference of {:.3g} on the scale from -1 to 1", what,
      *network.return_error);
}

}  // namespace

LoadedGenerator load_generator(const WeightSet& set, const std::string& direction) {
  const NetworkInfo& network = generator_for(set, direction);
  LoadedGenerator out;
  out.info = set.info;
  out.notes = set.notes;
  out.options = options_from_json<GeneratorOptions>(network.options, set.source + ": " + network.name);
  out.direction = network.maps;
  out.source = set.source;
  out.generator = std::dynamic_pointer_cast<Generator>(filled_network(set, network));
  if (goes_back(out, direction)) {
    out.direction = network.maps.opposite();
    out.generator = inverse_of(out.generator);
    out.notes.push_back(inverse_text(network));
  }
  return out;
}

const DomainInfo& target_of(const LoadedGenerator& generator) {
  return generator.info.domain(generator.direction.is_known() ? generator.direction.to : "b");
}

std::shared_ptr<Network> load_discriminator(const WeightSet& set, const std::string& domain) {
  if (const NetworkInfo* found = find_discriminator(set.info, {domain})) return load_network(set, *found);
  fail("{}: has no discriminator of domain {}, which is needed here; give the model as it was trained",
       set.source, domain);
}

std::shared_ptr<Network> load_network(const WeightSet& set, const NetworkInfo& network) {
  return filled_network(set, network);
}

}  // namespace torsor
