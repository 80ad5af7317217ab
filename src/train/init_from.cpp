#include "train/init_from.h"

#include "core/error.h"
#include "core/text.h"
#include "nn/state_dict.h"

namespace torsor {

namespace {

const NetworkInfo* find_kind(const WeightSet& set, const std::string& kind) {
  for (const NetworkInfo& network : set.info.networks)
    if (network.kind == kind) return &network;
  return nullptr;
}

// The name in the set of what the model calls `name`; "" when it has none.
std::string name_in(const WeightSet& set, const std::string& name) {
  if (set.weights.contains(name)) return name;
  return name == "g_a_to_b" && set.weights.contains("g") ? "g" : "";
}

std::string some_of(const std::vector<std::string>& lines) {
  constexpr std::size_t kShown = 4;
  if (lines.size() <= kShown) return join(lines);
  return fmt::format("{} and {} more", join({lines.begin(), lines.begin() + kShown}), lines.size() - kShown);
}

}  // namespace

Json network_options(const WeightSet& set) {
  Json out = Json::object();
  if (const NetworkInfo* network = find_kind(set, "generator")) {
    GeneratorOptions o = options_from_json<GeneratorOptions>(network->options, set.source);
    OptionSet user;
    o.describe_user(user);
    out = user.to_json();
    const bool back = network->maps == kBToA;
    out["channels_a"] = back ? o.out_channels : o.in_channels;
    out["channels_b"] = back ? o.in_channels : o.out_channels;
    out["scaling"] = set.info.scaling();
  }
  if (const NetworkInfo* network = find_kind(set, "discriminator")) {
    DiscriminatorOptions o = options_from_json<DiscriminatorOptions>(network->options, set.source);
    OptionSet user;
    o.describe_user(user);
    out.update(user.to_json());
    if (out.contains("norm") && out["norm"] != o.norm) out["norm_d"] = o.norm;
  }
  return out;
}

void take_weights(Model& model, const WeightSet& set, LogSink& log) {
  std::int64_t taken = 0;
  for (const auto& [name, network] : model.networks()) {
    const std::string theirs = name_in(set, name);
    if (theirs.empty()) {
      log.notice(fmt::format("{}: starts fresh: {} has none", name, set.source));
      continue;
    }
    const TakenWeights result = take_matching(*network, set.weights.at(theirs));
    taken += result.taken;
    log.notice(result.not_taken.empty()
                   ? fmt::format("{}: all {} tensors taken from {}", name, result.wanted, set.source)
                   : fmt::format("{}: {} of {} tensors taken from {}; not taken: {}", name, result.taken,
                                 result.wanted, set.source, some_of(result.not_taken)));
  }
  if (taken == 0)
    fail(
        "--init-from {}: not one of its tensors fits these networks; compare `torsor inspect {}` with "
        "--net-g, --ngf and the channels, or leave --init-from out",
        set.source, set.source);
}

}  // namespace torsor
