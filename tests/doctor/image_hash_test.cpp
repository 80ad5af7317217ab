// Perceptual hashes: what leaves them alone, and what changes them.
#include <algorithm>
#include <bit>

#include "doctor/duplicates.h"
#include "doctor_test_support.h"
#include "image/convert.h"
#include "image/resize.h"

namespace torsor::testing {
namespace {

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

}  // namespace
}  // namespace torsor::testing
