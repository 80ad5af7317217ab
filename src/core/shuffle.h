// Random orders (Fisher and Yates). How they draw is part of the results: a seed means the same order for
// ever.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace torsor {

/// `count` values from `first` on, which is indexed, in an order that is drawn from the last place to the
/// second.
template <class Iterator>
void shuffle(Iterator first, std::int64_t count, Rng& rng) {
  for (std::int64_t i = count - 1; i > 0; --i) std::swap(first[i], first[rng.index(i + 1)]);
}

/// `count` of 0 .. n-1, each at most once, drawn from the first place on; 0 <= count <= n.
inline std::vector<std::int64_t> draw_places(std::int64_t n, std::int64_t count, Rng& rng) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(n));
  std::iota(places.begin(), places.end(), std::int64_t{0});
  for (std::int64_t i = 0; i < count; ++i) std::swap(places.begin()[i], places.begin()[i + rng.index(n - i)]);
  places.resize(static_cast<std::size_t>(count));
  return places;
}

}  // namespace torsor
