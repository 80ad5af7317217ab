#include "doctor/duplicates.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace torsor {

namespace {

constexpr int kHashBits = 64;

// Sets that are united pair by pair; a set is known by its least member.
class UnitedSets {
 public:
  explicit UnitedSets(std::size_t count) : above_(count) { std::iota(above_.begin(), above_.end(), 0); }

  std::size_t root(std::size_t i) {
    while (above_[i] != i) i = above_[i] = above_[above_[i]];
    return i;
  }

  void unite(std::size_t i, std::size_t k) {
    const auto [low, high] = std::minmax({root(i), root(k)});
    above_[high] = low;
  }

  Groups groups() {
    std::map<std::size_t, std::vector<std::size_t>> by_root;
    for (std::size_t i = 0; i < above_.size(); ++i) by_root[root(i)].push_back(i);
    Groups out;
    for (auto& [unused, members] : by_root)
      if (members.size() > 1) out.push_back(std::move(members));
    return out;
  }

 private:
  std::vector<std::size_t> above_;
};

using Keyed = std::vector<std::pair<std::uint64_t, std::size_t>>;  // a part of the bits, and whose it is

// Calls use(i, k) for all places whose keys are equal.
template <class Use>
void for_equal_keys(Keyed& keyed, const Use& use) {
  std::sort(keyed.begin(), keyed.end());
  for (auto begin = keyed.begin(); begin != keyed.end();) {
    const auto end =
        std::find_if(begin, keyed.end(), [&](const auto& entry) { return entry.first != begin->first; });
    for (auto i = begin; i != end; ++i)
      for (auto k = std::next(i); k != end; ++k) use(i->second, k->second);
    begin = end;
  }
}

// Bits low to high - 1.
std::uint64_t part_of(std::uint64_t bits, int low, int high) {
  const std::uint64_t upper = high == kHashBits ? bits : bits & ((std::uint64_t{1} << high) - 1);
  return upper >> low;
}

}  // namespace

Groups equal_groups(const std::vector<std::string>& texts) {
  std::unordered_map<std::string, std::size_t> first;
  UnitedSets sets(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (!texts[i].empty()) sets.unite(first.emplace(texts[i], i).first->second, i);
  return sets.groups();
}

Groups near_groups(const std::vector<const ImageHash*>& hashes, const NearRule& rule) {
  UnitedSets sets(hashes.size());
  const auto compare = [&](std::size_t i, std::size_t k) {
    if (differing_bits(hashes[i]->bits, hashes[k]->bits) > rule.bits || sets.root(i) == sets.root(k)) return;
    if (correlation(*hashes[i], *hashes[k]) >= rule.least_correlation) sets.unite(i, k);
  };
  const int parts = std::clamp(rule.bits + 1, 1, kHashBits);
  for (int part = 0; part < parts; ++part) {
    Keyed keyed;
    for (std::size_t i = 0; i < hashes.size(); ++i)
      if (hashes[i] != nullptr)
        keyed.emplace_back(part_of(hashes[i]->bits, part * kHashBits / parts, (part + 1) * kHashBits / parts),
                           i);
    for_equal_keys(keyed, compare);
  }
  return sets.groups();
}

}  // namespace torsor
