#include "theory/finite_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "core/text.h"

namespace torsor {

namespace {

// |sum of the masses that land on each atom - that atom's mass|, summed.
std::int64_t variation(const FiniteMap& map, const FiniteSpace& from, const FiniteSpace& to) {
  std::vector<int> left = to.masses;
  for (std::size_t i = 0; i < from.size(); ++i) left[static_cast<std::size_t>(map[i])] -= from.masses[i];
  std::int64_t sum = 0;
  for (const int v : left) sum += std::abs(v);
  return sum;
}

std::int64_t cycle(const FiniteSpace& x, const FiniteMap& there, const FiniteMap& back) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += x.masses[i] *
           std::abs(static_cast<int>(back[static_cast<std::size_t>(there[i])]) - static_cast<int>(i));
  return sum;
}

void add_spaces(FiniteSpace& space, std::size_t atoms, int max_mass, std::vector<FiniteSpace>& out) {
  if (space.size() == atoms) {
    out.push_back(space);
    return;
  }
  for (int mass = space.masses.empty() ? 1 : space.masses.back(); mass <= max_mass; ++mass) {
    space.masses.push_back(mass);
    add_spaces(space, atoms, max_mass, out);
    space.masses.pop_back();
  }
}

}  // namespace

std::string FiniteSpace::text() const {
  std::vector<std::string> words;
  for (const int mass : masses) words.push_back(std::to_string(mass));
  return join(words, "+");
}

std::string text_of(const FiniteMap& map) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < map.size(); ++i) words.push_back(fmt::format("{}->{}", i, map[i]));
  return join(words, " ");
}

FiniteMap identity_map(std::size_t size) {
  FiniteMap map(size);
  std::iota(map.begin(), map.end(), std::int16_t{0});
  return map;
}

FiniteMap composed(const FiniteMap& outer, const FiniteMap& inner) {
  FiniteMap map(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) map[i] = outer[static_cast<std::size_t>(inner[i])];
  return map;
}

FiniteMap inverse(const FiniteMap& bijection) {
  FiniteMap map(bijection.size());
  for (std::size_t i = 0; i < bijection.size(); ++i)
    map[static_cast<std::size_t>(bijection[i])] = static_cast<std::int16_t>(i);
  return map;
}

bool is_bijection(const FiniteMap& map, std::size_t target_size) {
  std::vector<char> hit(target_size, 0);
  for (const std::int16_t image : map) hit[static_cast<std::size_t>(image)] = 1;
  return map.size() == target_size && std::count(hit.begin(), hit.end(), 1) == std::ssize(hit);
}

bool preserves_mass(const FiniteMap& map, const FiniteSpace& x, const FiniteSpace& y) {
  return variation(map, x, y) == 0;
}

std::int64_t pure_loss(const FiniteSpace& x, const FiniteSpace& y, const FiniteMap& g, const FiniteMap& f) {
  return variation(g, x, y) + variation(f, y, x) + cycle(x, g, f) + cycle(y, f, g);
}

FinitePair moved(const FinitePair& pair, const FiniteMap& phi) {
  return {composed(pair.g, phi), composed(inverse(phi), pair.f)};
}

void for_each_map(std::size_t from, std::size_t to, const std::function<void(const FiniteMap&)>& visit) {
  FiniteMap map(from, 0);
  const auto last = static_cast<std::int16_t>(to);
  while (true) {
    visit(map);
    std::size_t i = 0;
    while (i < from && ++map[i] == last) map[i++] = 0;
    if (i == from) return;
  }
}

std::vector<FinitePair> zero_loss_pairs(const FiniteSpace& x, const FiniteSpace& y, std::int64_t& tried) {
  std::vector<FinitePair> found;
  for_each_map(x.size(), y.size(), [&](const FiniteMap& g) {
    for_each_map(y.size(), x.size(), [&](const FiniteMap& f) {
      ++tried;
      if (pure_loss(x, y, g, f) == 0) found.push_back({g, f});
    });
  });
  return found;
}

std::vector<FiniteMap> permutations(std::size_t size) {
  std::vector<FiniteMap> all;
  FiniteMap map = identity_map(size);
  do all.push_back(map);
  while (std::next_permutation(map.begin(), map.end()));
  return all;
}

std::vector<FiniteMap> automorphisms(const FiniteSpace& x) {
  std::vector<FiniteMap> kept;
  for (const FiniteMap& map : permutations(x.size()))
    if (preserves_mass(map, x, x)) kept.push_back(map);
  return kept;
}

std::vector<FiniteSpace> all_spaces(std::size_t max_atoms, int max_mass) {
  std::vector<FiniteSpace> out;
  FiniteSpace space;
  for (std::size_t atoms = 1; atoms <= max_atoms; ++atoms) add_spaces(space, atoms, max_mass, out);
  return out;
}

std::vector<FiniteProblem> finite_problems(std::size_t max_atoms, int max_mass) {
  const std::vector<FiniteSpace> spaces = all_spaces(max_atoms, max_mass);
  std::vector<FiniteProblem> out;
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    FiniteSpace reversed = spaces[i];
    std::reverse(reversed.masses.begin(), reversed.masses.end());
    out.push_back({spaces[i], reversed});
    if (i + 1 < spaces.size() && spaces[i + 1].size() == spaces[i].size())
      out.push_back({spaces[i], spaces[i + 1]});
  }
  return out;
}

}  // namespace torsor
