// Random orders: what they hold, and that a seed means the same order for ever.
#include "core/shuffle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace torsor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), std::int64_t{0});
  Rng rng(seed);
  shuffle(out.begin(), count, rng);
  return out;
}

TEST(Shuffle, IsTheSameForASeed) {
  EXPECT_THAT(shuffled(10, 3), ElementsAre(1, 6, 0, 4, 8, 5, 2, 3, 9, 7));
  EXPECT_THAT(shuffled(1, 3), ElementsAre(0));
  EXPECT_THAT(shuffled(0, 3), IsEmpty());
}

TEST(Shuffle, HasEveryOrderAboutAsOften) {
  std::map<std::vector<std::int64_t>, int> seen;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) ++seen[shuffled(3, seed)];
  ASSERT_EQ(seen.size(), 6U);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
}

TEST(DrawPlaces, IsTheSameForASeed) {
  Rng rng(3);
  EXPECT_THAT(draw_places(10, 4, rng), ElementsAre(7, 8, 5, 2));
  EXPECT_THAT(draw_places(10, 0, rng), IsEmpty());
}

TEST(DrawPlaces, HoldsEachAtMostOnce) {
  Rng rng(1);
  for (int i = 0; i < 100; ++i) {
    const std::vector<std::int64_t> drawn = draw_places(7, 5, rng);
    const std::set<std::int64_t> places(drawn.begin(), drawn.end());
    EXPECT_EQ(places.size(), 5U);
    EXPECT_GE(*places.begin(), 0);
    EXPECT_LT(*places.rbegin(), 7);
  }
}

}  // namespace
}  // namespace torsor
