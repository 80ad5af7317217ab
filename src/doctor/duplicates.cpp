#include "doctor/duplicates.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace torsor {

namespace {

constexpr int kHashBits = 64;

// Images of one set, or of two, that are united pair by pair; a group is known by its least member.
class UnitedImages {
 public:
  explicit UnitedImages(std::size_t count) : above_(count), partner_(count) {
    std::iota(above_.begin(), above_.end(), 0);
    std::iota(partner_.begin(), partner_.end(), 0);
  }

  bool are_united(std::size_t i, std::size_t k) { return root(i) == root(k); }

  // Which are alike directly.
  void unite(std::size_t i, std::size_t k) {
    const auto [low, high] = std::minmax({root(i), root(k)});
    if (low == high) return;
    above_[high] = low;
    meet(i, k);
    meet(k, i);
  }

  // One that it is directly alike to; itself for none.
  std::size_t partner(std::size_t i) const { return partner_[i]; }

  Groups groups() {
    std::map<std::size_t, std::vector<std::size_t>> by_root;
    for (std::size_t i = 0; i < above_.size(); ++i) by_root[root(i)].push_back(i);
    Groups out;
    for (auto& [first, members] : by_root) {
      if (members.size() < 2) continue;
      const auto second = std::find(members.begin(), members.end(), partner(first));
      std::rotate(members.begin() + 1, second, second + 1);
      out.push_back(std::move(members));
    }
    return out;
  }

 private:
  std::size_t root(std::size_t i) {
    while (above_[i] != i) i = above_[i] = above_[above_[i]];
    return i;
  }

  void meet(std::size_t i, std::size_t other) {
    partner_[i] = partner_[i] == i ? other : std::min(partner_[i], other);
  }

  std::vector<std::size_t> above_, partner_;
};

// The same for each set, and for each two.
class UnitedBySets {
 public:
  explicit UnitedBySets(const std::vector<ComparedImage>& images) : images_(images) {}

  UnitedImages& of(std::size_t i, std::size_t k) {
    const auto [low, high] = std::minmax(images_[i].set, images_[k].set);
    return united_.try_emplace({low, high}, images_.size()).first->second;
  }

  // An image with the pixels of another is alike to all that the other is alike to.
  void follow(std::size_t copy, std::size_t original) {
    for (auto& [unused, united] : united_)
      if (const std::size_t partner = united.partner(original); partner != original)
        united.unite(copy, partner);
  }

  GroupsBySets groups() {
    GroupsBySets out;
    for (auto& [sets, united] : united_)
      if (Groups groups = united.groups(); !groups.empty()) out[sets] = std::move(groups);
    return out;
  }

 private:
  const std::vector<ComparedImage>& images_;
  std::map<std::array<std::size_t, 2>, UnitedImages> united_;
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

// The first image of its set with the pixels of each.
std::vector<std::size_t> originals_of(const std::vector<ComparedImage>& images) {
  std::map<std::pair<std::size_t, std::string>, std::size_t> first;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < images.size(); ++i)
    out.push_back(first.try_emplace({images[i].set, images[i].digest}, i).first->second);
  return out;
}

}  // namespace

GroupsBySets equal_groups(const std::vector<ComparedImage>& images) {
  std::map<std::string, std::vector<std::size_t>> by_digest;
  for (std::size_t i = 0; i < images.size(); ++i) by_digest[images[i].digest].push_back(i);
  UnitedBySets united(images);
  for (const auto& [unused, members] : by_digest) {
    std::map<std::size_t, std::size_t> firsts;  // by set
    for (const std::size_t i : members) firsts.try_emplace(images[i].set, i);
    for (const std::size_t i : members)
      for (const auto& [set, first] : firsts)
        if (first != i) united.of(first, i).unite(first, i);
  }
  return united.groups();
}

GroupsBySets near_groups(const std::vector<ComparedImage>& images, const NearRule& rule) {
  const std::vector<std::size_t> originals = originals_of(images);
  UnitedBySets united(images);
  const auto compare = [&](std::size_t i, std::size_t k) {
    const ImageHash &x = images[i].hash, &y = images[k].hash;
    if (differing_bits(x.bits, y.bits) > rule.bits || images[i].digest == images[k].digest) return;
    UnitedImages& of_sets = united.of(i, k);
    if (!of_sets.are_united(i, k) && correlation(x, y) >= rule.least_correlation) of_sets.unite(i, k);
  };
  const int parts = std::clamp(rule.bits + 1, 1, kHashBits);
  for (int part = 0; part < parts; ++part) {
    const int low = part * kHashBits / parts, high = (part + 1) * kHashBits / parts;
    Keyed keyed;
    for (std::size_t i = 0; i < images.size(); ++i)
      if (originals[i] == i) keyed.emplace_back(part_of(images[i].hash.bits, low, high), i);
    for_equal_keys(keyed, compare);
  }
  for (std::size_t i = 0; i < images.size(); ++i)
    if (originals[i] != i) united.follow(i, originals[i]);
  return united.groups();
}

}  // namespace torsor
