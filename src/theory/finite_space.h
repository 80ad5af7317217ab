// Probability spaces of a few atoms with whole-number masses, on which the propositions of the paper's
// section 2 can be checked by trying every pair of maps. All arithmetic is in integers: zero is zero.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace torsor {

/// Atoms 0..n-1 with masses in some common unit.
struct FiniteSpace {
  std::vector<int> masses;
  std::size_t size() const { return masses.size(); }
  std::string text() const;  // "1+1+2"
};

/// map[i] is the image of atom i.
using FiniteMap = std::vector<std::int16_t>;

/// "0->2 1->0".
std::string text_of(const FiniteMap& map);

FiniteMap identity_map(std::size_t size);
/// outer after inner: i -> outer[inner[i]].
FiniteMap composed(const FiniteMap& outer, const FiniteMap& inner);
FiniteMap inverse(const FiniteMap& bijection);
bool is_bijection(const FiniteMap& map, std::size_t target_size);
/// Whether the push-forward of X's masses under the map are Y's.
bool preserves_mass(const FiniteMap& map, const FiniteSpace& x, const FiniteSpace& y);

/// Total variation of G_* mu - nu, of F_* nu - mu, and the cycle loss in the metric |i - j|, in units of mass
/// (S0-Q2 with D_f the total variation; alpha_cyc scales what is 0 or not, so it is 1).
std::int64_t pure_loss(const FiniteSpace& x, const FiniteSpace& y, const FiniteMap& g, const FiniteMap& f);

/// A pair of translators.
struct FinitePair {
  FiniteMap g, f;  // X -> Y, Y -> X
  bool operator==(const FinitePair&) const = default;
};

/// (G o phi, phi^-1 o F), the action of an automorphism.
FinitePair moved(const FinitePair& pair, const FiniteMap& phi);

/// Calls `visit` for every map from `from` atoms to `to` atoms.
void for_each_map(std::size_t from, std::size_t to, const std::function<void(const FiniteMap&)>& visit);

/// Every pair of zero loss, found by trying all of them; `tried` counts them.
std::vector<FinitePair> zero_loss_pairs(const FiniteSpace& x, const FiniteSpace& y, std::int64_t& tried);

/// All bijections of X, and those that preserve its masses: Aut(X).
std::vector<FiniteMap> permutations(std::size_t size);
std::vector<FiniteMap> automorphisms(const FiniteSpace& x);

/// Spaces of 1..max_atoms atoms with masses 1..max_mass, up to order.
std::vector<FiniteSpace> all_spaces(std::size_t max_atoms, int max_mass);

/// The problems that the experiments try: every space against itself with the atoms in reverse order (so that
/// the identity is no solution by accident), and against the next space of as many atoms (not isomorphic).
struct FiniteProblem {
  FiniteSpace x, y;
};
std::vector<FiniteProblem> finite_problems(std::size_t max_atoms, int max_mass);

}  // namespace torsor
