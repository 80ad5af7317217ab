// How groups fall into parts that are drawn independently of each other.
#pragma once

#include <cstdint>
#include <vector>

#include "metric/groups.h"

namespace torsor {

/// Groups with images in the real set only, in the fake set only, in both; each in ascending order.
struct GroupSides {
  std::vector<std::int64_t> real_only, fake_only, both;
};
GroupSides group_sides(const SampleGroups& groups);

/// {real ones, fake ones} when no group has both, else {all}. None is empty.
std::vector<std::vector<std::int64_t>> independent_strata(const SampleGroups& groups);

}  // namespace torsor
