// Perceptual hashes: what leaves them alone, what changes them; groups of duplicates.
#include <algorithm>
#include <bit>

#include "doctor/duplicates.h"
#include "doctor_test_support.h"
#include "image/convert.h"
#include "image/resize.h"

namespace torsor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Image changed(Image image, const std::function<double(double)>& change) {
  for (std::uint8_t& value : image.bytes)
    value = static_cast<std::uint8_t>(std::clamp(change(value), 0.0, 255.0));
  return image;
}

int bits_between(const Image& x, const Image& y) { return differing_bits(hash_of(x).bits, hash_of(y).bits); }

TEST(ImageHash, IsNearlyTheSameAfterWhatCopiesUndergo) {
  const Image image = waves(1, 96, 80);
  const Image compressed = decode_image(encode_image("jpg", image, {.jpeg_quality = 50}), "x.jpg");
  for (const Image& copy : {compressed, resize_bicubic(image, 200, 60), with_channels(image, 1),
                            changed(image, [](double v) { return 0.8 * v + 20; })}) {
    EXPECT_LE(bits_between(image, copy), NearRule().bits);
    EXPECT_GE(correlation(hash_of(image), hash_of(copy)), NearRule().least_correlation);
  }
}

TEST(ImageHash, IsAnotherOfOtherImages) {
  const Image image = waves(1);
  for (std::uint64_t seed = 2; seed < 12; ++seed) EXPECT_GT(bits_between(image, waves(seed)), 12);
  EXPECT_GT(bits_between(image, flip_horizontal(image)), NearRule().bits);
  EXPECT_GT(bits_between(image, changed(image, [](double v) { return 255 - v; })), 40);
}

TEST(ImageHash, OfFlatImagesHoldsNoNoise) {
  Image dim = constant(64, 40);
  Rng rng(1);
  for (std::uint8_t& value : dim.bytes) value = static_cast<std::uint8_t>(value + rng.index(2));
  EXPECT_EQ(hash_of(dim).bits, 0U);
  EXPECT_EQ(hash_of(constant(8, 255)).bits, 0U);
  EXPECT_EQ(correlation(hash_of(constant(8, 3)), hash_of(waves(1))), 0);
}

TEST(EqualGroups, HoldEqualTextsAndNoEmptyOnes) {
  EXPECT_THAT(equal_groups({"a", "b", "", "a", "c", "", "b", "a"}),
              ElementsAre(ElementsAre(0, 3, 7), ElementsAre(1, 6)));
  EXPECT_THAT(equal_groups({"a", "b"}), IsEmpty());
}

// Hashes with one picture each, so that bits alone decide.
std::vector<ImageHash> hashes_of(const std::vector<std::uint64_t>& bits) {
  const ImageHash like = hash_of(waves(1));
  std::vector<ImageHash> out(bits.size(), like);
  for (std::size_t i = 0; i < bits.size(); ++i) out[i].bits = bits[i];
  return out;
}

Groups groups_of(const std::vector<ImageHash>& hashes, const NearRule& rule = {}) {
  std::vector<const ImageHash*> pointers;
  for (const ImageHash& hash : hashes) pointers.push_back(&hash);
  return near_groups(pointers, rule);
}

TEST(NearGroups, JoinWhatDiffersInFewBitsAlsoThroughOthers) {
  const std::uint64_t far = 0xffffffff00000000;
  const auto hashes = hashes_of({0, far, 0x3f, 0xfff, far ^ 0x7f});
  EXPECT_THAT(groups_of(hashes), ElementsAre(ElementsAre(0, 2, 3)));  // 0 and 0xfff differ in 12, far in 7
  EXPECT_THAT(groups_of(hashes, {.bits = 7}), ElementsAre(ElementsAre(0, 2, 3), ElementsAre(1, 4)));
  EXPECT_THAT(groups_of(hashes, {.bits = 0}), IsEmpty());
}

TEST(NearGroups, NeedPicturesThatCorrelateToo) {
  std::vector<ImageHash> hashes = {hash_of(waves(1)), hash_of(waves(2)), hash_of(waves(1))};
  for (ImageHash& hash : hashes) hash.bits = 5;
  EXPECT_THAT(groups_of(hashes), ElementsAre(ElementsAre(0, 2)));
  EXPECT_THAT(near_groups({&hashes[0], nullptr, nullptr}), IsEmpty());
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
  EXPECT_EQ(groups_of(hashes_of(bits)), planted);
}

TEST(NearGroups, OfHashesThatAreAllAlikeAreOne) {
  const Groups groups = groups_of(hashes_of(std::vector<std::uint64_t>(3000, 12)));
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups.front().size(), 3000U);
}

}  // namespace
}  // namespace torsor::testing
