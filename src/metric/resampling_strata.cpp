#include "metric/resampling_strata.h"

#include <numeric>

namespace torsor {

GroupSides group_sides(const SampleGroups& groups) {
  std::vector<int> sides(static_cast<std::size_t>(groups.count), 0);  // 1: real, 2: fake, 3: both
  for (const std::int64_t id : groups.real) sides.at(static_cast<std::size_t>(id)) |= 1;
  for (const std::int64_t id : groups.fake) sides.at(static_cast<std::size_t>(id)) |= 2;
  GroupSides out;
  for (std::int64_t id = 0; id < groups.count; ++id) {
    const int side = sides[static_cast<std::size_t>(id)];
    if (side == 1) out.real_only.push_back(id);
    if (side == 2) out.fake_only.push_back(id);
    if (side == 3) out.both.push_back(id);
  }
  return out;
}

std::vector<std::vector<std::int64_t>> independent_strata(const SampleGroups& groups) {
  const GroupSides sides = group_sides(groups);
  if (!sides.both.empty()) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(groups.count));
    std::iota(all.begin(), all.end(), 0);
    return {all};
  }
  std::vector<std::vector<std::int64_t>> out;
  if (!sides.real_only.empty()) out.push_back(sides.real_only);
  if (!sides.fake_only.empty()) out.push_back(sides.fake_only);
  return out;
}

}  // namespace torsor
