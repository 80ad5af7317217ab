// How groups fall into parts that are drawn independently of each other.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "metric/groups.h"

namespace torsor {

/// Groups with images in the real set only, in the fake set only, in both; each in ascending order.
struct GroupSides {
  std::vector<std::int64_t> real_only, fake_only, both;
};
GroupSides group_sides(const SampleGroups& groups);

/// {real ones, fake ones} when no group has both, else {all}. None is empty.
std::vector<std::vector<std::int64_t>> independent_strata(const SampleGroups& groups);

/// Fisher and Yates.
inline void shuffle(std::vector<std::int64_t>& values, Rng& rng) {
  for (std::int64_t i = std::ssize(values) - 1; i > 0; --i)
    std::swap(values[static_cast<std::size_t>(i)], values[static_cast<std::size_t>(rng.index(i + 1))]);
}

}  // namespace torsor
