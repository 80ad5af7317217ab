// Groups of duplicates: what they join within a set, and what they count between two.
#include "doctor/duplicates.h"

#include "doctor_test_support.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::array<std::size_t, 2> kWithin = {0, 0}, kBetween = {0, 1}, kOfOther = {1, 1};

// Of one set, unless the digests' sets are given.
std::vector<ComparedImage> with_digests(const std::vector<std::string>& digests,
                                        std::vector<std::size_t> sets = {}) {
  sets.resize(digests.size());
  std::vector<ComparedImage> out;
  for (std::size_t i = 0; i < digests.size(); ++i) out.push_back({sets[i], digests[i], {}});
  return out;
}

// Unlike pixels of one small picture, so that the bits of the hashes decide.
std::vector<ComparedImage> with_bits(const std::vector<std::uint64_t>& bits,
                                     std::vector<std::size_t> sets = {}) {
  sets.resize(bits.size());
  ImageHash hash = hash_of(waves(1));
  std::vector<ComparedImage> out;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    hash.bits = bits[i];
    out.push_back({sets[i], std::to_string(i), hash});
  }
  return out;
}

TEST(EqualGroups, HoldEqualDigests) {
  EXPECT_THAT(equal_groups(with_digests({"a", "b", "c", "a", "d", "b", "a"})),
              ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 3, 6), ElementsAre(1, 5)))));
  EXPECT_THAT(equal_groups(with_digests({"a", "b"})), IsEmpty());
}

TEST(EqualGroups, OfTwoSetsHoldAllCopiesWithOneOfEachFirst) {
  EXPECT_THAT(equal_groups(with_digests({"a", "a", "b", "a", "a"}, {0, 0, 0, 1, 1})),
              ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 1))),
                          Pair(kBetween, ElementsAre(ElementsAre(0, 3, 1, 4))),
                          Pair(kOfOther, ElementsAre(ElementsAre(3, 4)))));
}

TEST(NearGroups, JoinWhatDiffersInFewBitsAlsoThroughOthers) {
  const std::uint64_t far = 0xffffffff00000000;
  const auto images = with_bits({0, far, 0x3f, 0xfff, far ^ 0x7f});
  // 0 and 0xfff differ in 12 bits, both of far in 7.
  EXPECT_THAT(near_groups(images), ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 2, 3)))));
  EXPECT_THAT(near_groups(images, {.bits = 7}),
              ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 2, 3), ElementsAre(1, 4)))));
  EXPECT_THAT(near_groups(images, {.bits = 0}), IsEmpty());
}

TEST(NearGroups, BeginWithTwoThatAreAlikeDirectly) {
  EXPECT_THAT(near_groups(with_bits({0, 0xfff, 0x3f})),
              ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 2, 1)))));
}

// A chain of frames, each 6 bits from the next, of which the last alone is like an image of the other set.
TEST(NearGroups, OfTwoSetsHoldOnlyWhatIsDirectlyAlike) {
  const auto images = with_bits({0, 0x3f, 0xfff, 0x3ffff, 0xffffff}, {0, 0, 0, 0, 1});
  EXPECT_THAT(near_groups(images), ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 1, 2, 3))),
                                               Pair(kBetween, ElementsAre(ElementsAre(3, 4)))));
}

// Neither of the first set is like the other, though both are like one of the second.
TEST(NearGroups, OfASetAreNotJoinedThroughAnotherSet) {
  EXPECT_THAT(near_groups(with_bits({0, 0xfff, 0x3f}, {0, 0, 1})),
              ElementsAre(Pair(kBetween, ElementsAre(ElementsAre(0, 2, 1)))));
}

TEST(NearGroups, CountCopiesButNotForEachOther) {
  auto images = with_bits({0, 0, 0, 0x3f}, {0, 0, 1, 1});
  images[1].digest = images[2].digest = images[0].digest;
  EXPECT_THAT(near_groups(images), ElementsAre(Pair(kBetween, ElementsAre(ElementsAre(0, 3, 1))),
                                               Pair(kOfOther, ElementsAre(ElementsAre(2, 3)))));
  images.pop_back();
  EXPECT_THAT(near_groups(images), IsEmpty());
}

TEST(NearGroups, NeedPicturesThatCorrelateToo) {
  std::vector<ComparedImage> images;
  for (const int seed : {1, 2, 1})
    images.push_back({0, std::to_string(images.size()), hash_of(waves(static_cast<std::uint64_t>(seed)))});
  for (ComparedImage& image : images) image.hash.bits = 5;
  EXPECT_THAT(near_groups(images), ElementsAre(Pair(kWithin, ElementsAre(ElementsAre(0, 2)))));
}

TEST(NearGroups, OfTenThousandAreThoseThatWerePlanted) {
  Rng rng(7);
  std::vector<std::uint64_t> bits;
  for (int i = 0; i < 10000; ++i)
    bits.push_back((rng.index(std::int64_t{1} << 32) << 32) | rng.index(std::int64_t{1} << 32));
  Groups planted;
  for (std::size_t i = 0; i < 40; ++i) {  // 0 to 6 bits anywhere in the hash
    std::uint64_t other = bits[i];
    for (std::size_t k = 0; k < i % 7; ++k) other ^= std::uint64_t{1} << rng.index(64);
    bits[5000 + i] = other;
    planted.push_back({i, 5000 + i});
  }
  EXPECT_EQ(near_groups(with_bits(bits)), (GroupsBySets{{kWithin, planted}}));
}

TEST(NearGroups, OfHashesThatAreAllAlikeAreOne) {
  const GroupsBySets groups = near_groups(with_bits(std::vector<std::uint64_t>(3000, 12)));
  ASSERT_EQ(groups.size(), 1U);
  ASSERT_EQ(groups.at(kWithin).size(), 1U);
  EXPECT_EQ(groups.at(kWithin).front().size(), 3000U);
}

}  // namespace
}  // namespace torsor::testing
