#include "train/init_from.h"

#include <algorithm>

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

// What the set has for this network of the model; null when nothing. One that its file does not place stands
// for the model's only one of its kind, and a generator for that from a to b.
const NetworkInfo* counterpart(const WeightSet& set, const NetworkInfo& ours,
                               const std::vector<NetworkInfo>& networks) {
  const NetworkInfo* unplaced = nullptr;
  for (const NetworkInfo& theirs : set.info.networks) {
    if (theirs.name == ours.name) return &theirs;
    if (theirs.kind == ours.kind && !theirs.maps.is_known() && theirs.sees.empty()) unplaced = &theirs;
  }
  const auto of_kind = std::count_if(networks.begin(), networks.end(),
                                     [&](const NetworkInfo& network) { return network.kind == ours.kind; });
  return of_kind == 1 || ours.maps == kAToB ? unplaced : nullptr;
}

std::string some_of(const std::vector<std::string>& lines) {
  constexpr std::size_t kShown = 4;
  if (lines.size() <= kShown) return join(lines);
  return fmt::format("{} and {} more", join({lines.begin(), lines.begin() + kShown}), lines.size() - kShown);
}

}  // namespace

Json network_options(const WeightSet& set) {
  Json out = Json::object();
  if (const NetworkInfo* network = find_kind(set, kGeneratorKind)) {
    GeneratorOptions o = options_from_json<GeneratorOptions>(network->options, set.source);
    OptionSet user;
    o.describe_user(user);
    out = user.to_json();
    const bool back = network->maps == kBToA;
    out["channels_a"] = back ? o.out_channels : o.in_channels;
    out["channels_b"] = back ? o.in_channels : o.out_channels;
    out["scaling"] = set.info.scaling();
  }
  if (const NetworkInfo* network = find_kind(set, kDiscriminatorKind)) {
    DiscriminatorOptions o = options_from_json<DiscriminatorOptions>(network->options, set.source);
    OptionSet user;
    o.describe_user(user);
    out.update(user.to_json());
    if (out.contains("norm") && out["norm"] != o.norm) out["norm_d"] = o.norm;
  }
  return out;
}

void take_weights(Model& model, const std::vector<NetworkInfo>& networks, const WeightSet& set,
                  LogSink& log) {
  std::int64_t taken = 0;
  const std::vector<NamedNetwork> live = model.networks();
  for (std::size_t i = 0; i < live.size(); ++i) {
    const auto& [name, network] = live[i];
    const NetworkInfo* const theirs = counterpart(set, networks.at(i), networks);
    if (theirs == nullptr) {
      log.notice(fmt::format("{}: starts fresh: {} has none", name, set.source));
      continue;
    }
    const TakenWeights result = take_matching(*network, used_weights(set, theirs->name));
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
