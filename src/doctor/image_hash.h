// A short description of what an image shows, by which near duplicates are found.
#pragma once

#include <array>
#include <cstdint>

#include "image/image.h"

namespace torsor {

struct ImageHash {
  static constexpr std::int64_t kSmallSide = 16;

  std::uint64_t bits = 0;
  std::array<std::uint8_t, kSmallSide * kSmallSide> small{};  // the image's brightness, row by row
};

/// The perceptual hash of a u8 image with any number of channels (Zauner 2010, section 3.2.1): the brightness
/// at 32x32 pixels, its discrete cosine transform, and for each of the 64 lowest frequencies one bit, whether
/// its coefficient lies above their median. The constant one has the bit 0, and coefficients at most 2 above
/// the median, as rounding makes them, count as below it, so that the bits of flat images are no noise.
/// Resizing, another compression, brightness and contrast change few bits; mirroring and cropping change
/// many.
ImageHash hash_of(const Image& image);

/// Bits in which two hashes differ, 0 to 64.
int differing_bits(std::uint64_t x, std::uint64_t y);

/// Pearson's correlation of two images' brightness, -1 to 1; 0 where one of them is constant.
double correlation(const ImageHash& x, const ImageHash& y);

}  // namespace torsor
