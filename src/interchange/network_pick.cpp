#include "interchange/network_pick.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "interchange/network_name.h"

namespace torsor {

namespace {

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Whether a dotted name is `wanted` or stands below it.
bool is_at(const std::string& name, const std::string& wanted) {
  return name == wanted || name.starts_with(wanted + ".");
}

bool ends_at(const std::string& name, const std::string& wanted) { return name.ends_with("." + wanted); }

std::vector<FoundNetwork> those(const std::vector<FoundNetwork>& found, auto matches) {
  std::vector<FoundNetwork> out;
  std::copy_if(found.begin(), found.end(), std::back_inserter(out), matches);
  return out;
}

std::string direction_of(NameSays says) {
  if (says == NameSays::a_to_b || says == NameSays::letter_a) return "g_a_to_b";
  if (says == NameSays::b_to_a || says == NameSays::letter_b) return "g_b_to_a";
  return "g";
}

// By what the last parts of their names say; G and F as the two of them alone.
std::vector<std::string> directions(const std::vector<FoundNetwork>& generators) {
  std::vector<NameSays> says;
  for (const FoundNetwork& generator : generators)
    says.push_back(generator_name_says(last_part(generator.name)));
  const auto of = [&](NameSays wanted) { return std::count(says.begin(), says.end(), wanted); };
  const bool pair = says.size() == 2 && of(NameSays::g) == 1 && of(NameSays::f) == 1;
  std::vector<std::string> out;
  for (const NameSays one : says)
    out.push_back(!pair ? direction_of(one) : one == NameSays::g ? "g_a_to_b" : "g_b_to_a");
  return out;
}

bool is_letter(NameSays says) { return says == NameSays::letter_a || says == NameSays::letter_b; }

bool named_by_letters(const std::vector<FoundNetwork>& generators) {
  return std::any_of(generators.begin(), generators.end(), [](const FoundNetwork& generator) {
    return is_letter(generator_name_says(last_part(generator.name)));
  });
}

enum class Letters { of_their_domain, of_their_generator };

// "" where the name does not tell the domain of the images that it sees.
std::string discriminator_name(NameSays says, Letters letters) {
  const bool crosses = letters == Letters::of_their_generator;
  if (says == NameSays::a_to_b) return "d_b";
  if (says == NameSays::b_to_a) return "d_a";
  if (says == NameSays::letter_a) return crosses ? "d_b" : "d_a";
  if (says == NameSays::letter_b) return crosses ? "d_a" : "d_b";
  return "";
}

[[noreturn]] void refuse_several(const std::vector<FoundNetwork>& networks, std::string_view what,
                                 const std::string& source) {
  fail("{}: holds {} {} ({}), and their names do not say which is meant; --network NAME picks one", source,
       networks.size(), what, names_text(networks));
}

void pick_generators(const std::vector<FoundNetwork>& generators, const std::string& role,
                     const std::string& source, Pick& pick) {
  std::vector<std::string> names = directions(generators);
  if (generators.size() == 1 && names[0] == "g" && !role.empty())
    names[0] = direction_of(generator_name_says(role));
  const bool is_pair = generators.size() == 2 && names[0] != names[1] && names[0] != "g" && names[1] != "g";
  if (generators.size() > 1 && !is_pair) refuse_several(generators, "generators", source);
  for (std::size_t i = 0; i < generators.size(); ++i) pick.networks.push_back({names[i], generators[i]});
}

void pick_discriminators(const std::vector<FoundNetwork>& discriminators,
                         const std::vector<FoundNetwork>& generators, Pick& pick) {
  const Letters letters =
      named_by_letters(generators) ? Letters::of_their_generator : Letters::of_their_domain;
  const bool known_ways = pick.networks.front().name != "g";
  std::vector<std::string> names;
  std::map<std::string, int> uses;
  for (const FoundNetwork& discriminator : discriminators)
    ++uses[names.emplace_back(
        discriminator_name(discriminator_name_says(last_part(discriminator.name)), letters))];
  std::vector<FoundNetwork> left_out;
  for (std::size_t i = 0; i < discriminators.size(); ++i) {
    if (known_ways && !names[i].empty() && uses[names[i]] == 1)
      pick.networks.push_back({names[i], discriminators[i]});
    else
      left_out.push_back(discriminators[i]);
  }
  if (!left_out.empty())
    pick.notes.push_back("left out, since it is not clear which domain they judge: " + names_text(left_out));
}

}  // namespace

bool name_tells_direction(const FoundNetwork& generator, const std::string& role) {
  const NameSays own = generator_name_says(last_part(generator.name));
  const NameSays says = direction_of(own) == "g" ? generator_name_says(role) : own;
  return says == NameSays::a_to_b || says == NameSays::b_to_a;
}

std::string names_text(const std::vector<FoundNetwork>& networks) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  for (const FoundNetwork& network : networks)
    if (names.size() < kShown) names.push_back(network.name);
  if (networks.size() > kShown) names.push_back(fmt::format("... {} in all", networks.size()));
  return join(names);
}

std::vector<FoundNetwork> networks_named(const std::string& wanted, std::vector<FoundNetwork> found,
                                         const std::string& source) {
  if (wanted.empty()) return found;
  std::vector<FoundNetwork> named = those(found, [&](const auto& one) { return one.name == wanted; });
  if (named.empty()) named = those(found, [&](const auto& one) { return is_at(one.name, wanted); });
  if (named.empty()) named = those(found, [&](const auto& one) { return ends_at(one.name, wanted); });
  if (!named.empty()) return named;
  std::vector<std::string> names;
  for (const FoundNetwork& one : found) names.push_back(one.name);
  fail_usage("--network {}: {} has no such network{} (it has {})", printable(wanted), source,
             did_you_mean(wanted, names), names_text(found));
}

Pick pick_networks(std::vector<FoundNetwork> found, const std::string& role, const std::string& source) {
  const auto alike = [&](NetworkKind likeness) {
    return those(found, [&](const auto& one) { return one.likeness == likeness; });
  };
  const std::vector<FoundNetwork> generators = alike(NetworkKind::generator);
  const std::vector<FoundNetwork> discriminators = alike(NetworkKind::discriminator);
  Pick pick;
  if (generators.empty()) {
    if (discriminators.size() > 1)
      refuse_several(discriminators, "discriminators and no generator that torsor knows", source);
    if (discriminators.size() == 1) {
      const std::string name = discriminator_name(discriminator_name_says(role), Letters::of_their_generator);
      pick.networks.push_back({name.empty() ? "d" : name, discriminators.front()});
    } else {
      pick.networks.push_back({direction_of(generator_name_says(role)), std::move(found.front())});
    }
    return pick;
  }
  pick_generators(generators, role, source, pick);
  pick_discriminators(discriminators, generators, pick);
  const std::vector<FoundNetwork> unknown = alike(NetworkKind::unknown);
  if (!unknown.empty())
    pick.notes.push_back("left out, since torsor does not know such networks: " + names_text(unknown));
  return pick;
}

}  // namespace torsor
