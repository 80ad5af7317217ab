// torsor inspect
#include <algorithm>
#include <iostream>

#include "app/commands.h"
#include "app/engine_report.h"
#include "core/error.h"
#include "core/text.h"
#include "interchange/inspect.h"
#include "interchange/network_search.h"
#include "metric/feature_file.h"

namespace torsor::app {

namespace {

struct InspectOptions {
  bool json = false;
  bool layers = false;
  WeightChoice choice;

  void describe(OptionSet& o) {
    o.add("json", json, "print JSON, with all that is known");
    o.add("layers", layers, "list the layers of each network, and who computes them on this processor");
    choice.describe(o);
  }
};

std::string short_text(const Json& value) {
  constexpr std::size_t kShown = 8;
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || value.size() <= 2 * kShown) return value.dump();
  const Json first(value.begin(), value.begin() + kShown);
  return fmt::format("{}, ... {} in all; --json shows them]", first.dump().substr(0, first.dump().size() - 1),
                     value.size());
}

// Nested objects as "key.key  value" lines.
void print_lines(const Json& json, const std::string& prefix) {
  for (const auto& [key, value] : json.items()) {
    if (key == "paths" || key == "found") continue;  // print_paths(), print_found()
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    const bool is_list = value.is_array() && !value.empty() && value.front().is_structured();
    if (value.is_object() || is_list) {
      print_lines(value, name);
      continue;
    }
    if (value.is_null() || value == Json("") || (value.is_structured() && value.empty())) continue;
    std::cout << fmt::format("{:<36} {}\n", name, short_text(value));
  }
}

void print_paths(const Json& found) {
  for (const Json& network : found.value("networks", Json::array())) {
    if (!network.contains("paths")) {
      std::cout << fmt::format("no kernel has a part in {} here: libtorch computes all of it\n",
                               network.at("name").get<std::string>());
      continue;
    }
    const Json& paths = network.at("paths");
    std::cout << fmt::format("who computes the layers of {} here, at {} pixels:\n",
                             network.at("name").get<std::string>(), paths.at("side").get<std::int64_t>());
    for (const Json& path : paths.at("layers")) std::cout << path_line(path.at("by"), path.at("layers"));
  }
}

// "resnet_9blocks, ngf 64, norm instance, 3 to 3 channels".
std::string network_text(const Json& network) {
  const std::string text =
      describe_network({network.at("name"), network.at("kind"), network.at("options"), {}});
  if (!network.contains("labels")) return text;
  return fmt::format("{}, of which {} are classes", text, network.at("labels").size());
}

std::string size_text(const Json& network) {
  return fmt::format("{} values in {} tensors{}", with_thousands(network.at("values").get<std::int64_t>()),
                     network.at("tensors").get<std::int64_t>(),
                     network.value("averaged", false) ? "; used with averaged weights" : "");
}

std::string domain_text(const Json& domain) {
  return fmt::format("{} ({} channels)", domain.at("name").get<std::string>(),
                     domain.at("channels").get<std::int64_t>());
}

std::string domains_text(const Json& domains) {
  std::vector<std::string> parts;
  for (const auto& [key, domain] : domains.items())
    parts.push_back(fmt::format("{} is {}", upper(key), domain_text(domain)));
  return join(parts);
}

// The first line, and what a user asks first; at most ten lines in all.
void print_summary(const Json& found) {
  constexpr std::size_t kShown = 5;
  std::cout << fmt::format("{}: {}", found.at("file").get<std::string>(),
                           found.at("what").get<std::string>());
  if (found.contains("bytes"))
    std::cout << ", " << human_bytes(static_cast<double>(found.at("bytes").get<std::uint64_t>()));
  if (found.value("step", std::int64_t{0}) > 0)
    std::cout << fmt::format(", trained for {} steps", with_thousands(found.at("step").get<std::int64_t>()));
  std::cout << '\n';
  if (found.contains("refused")) std::cout << "  " << found.at("refused").get<std::string>() << '\n';
  const Json networks = found.value("networks", Json::array());
  for (std::size_t i = 0; i < std::min(kShown, networks.size()); ++i)
    std::cout << fmt::format("  {:<9} {}; {}\n", networks[i].at("name").get<std::string>(),
                             network_text(networks[i]), size_text(networks[i]));
  if (networks.size() > kShown)
    std::cout << fmt::format("  and {} networks more\n", networks.size() - kShown);
  if (found.contains("domains")) std::cout << "  " << domains_text(found.at("domains")) << '\n';
  for (const char* text : {"note", "licence"})
    if (!found.value(text, "").empty())
      std::cout << fmt::format("  {}: {}\n", text, one_line(found.at(text).get<std::string>()));
}

// Networks of a file that does not describe itself, where they are not those of the summary.
void print_found(const Json& found) {
  const Json list = found.value("found", Json::array());
  if (list.size() <= found.value("networks", Json::array()).size()) return;
  std::cout << "networks in the file; --network NAME picks one:\n";
  std::size_t width = 0;
  for (const Json& network : list) width = std::max(width, network.at("name").get<std::string>().size());
  for (const Json& network : list)
    std::cout << fmt::format("  {:<{}}  {}: {}; {}\n", network.at("name").get<std::string>(), width,
                             network.at("likeness").get<std::string>(),
                             network.at("architecture").get<std::string>(), size_text(network));
}

Json described(const std::string& file, const InspectOptions& o) {
  if (const auto features = recognise_feature_weights(file)) return describe_feature_weights(*features);
  return inspect(file, o.choice, o.json || o.layers ? LayerWatch::on : LayerWatch::off);
}

int inspect_file(const std::vector<std::string>& positionals) {
  const InspectOptions& o = Bound<InspectOptions>::instance().settings;
  const Json found = described(positionals[0], o);
  if (o.json) {
    std::cout << found.dump(2) << '\n';
    return 0;
  }
  print_summary(found);
  print_found(found);
  if (o.layers) print_paths(found);
  std::cout << '\n';
  print_lines(found, "");
  return 0;
}

}  // namespace

Command inspect_command() {
  return {"inspect",
          "Show what a file with weights says of itself",
          {{"FILE", "model file, checkpoint, run directory, .pth, the reference's folder, or .onnx"}},
          &Bound<InspectOptions>::instance().options,
          inspect_file,
          {"torsor inspect latest_net_G_A.pth", "torsor inspect runs/zebras --layers"}};
}

}  // namespace torsor::app
