// Conversions that the training and translation paths need, exact where the reference is.
#pragma once

#include "image/image.h"

namespace torsor {

/// The same samples as f32, not scaled.
Image to_f32(const Image& image);

/// For images whose scale says nothing: 16-bit and float samples are multiplied so that the largest becomes
/// 255, alpha aside, and rounded; u8 stays as it is. Throws Error for floats that are negative or not finite.
Image to_u8_by_largest(const Image& image);

/// 1, 2, 3 or 4 channels -> `channels` in {1, 3}: alpha dropped, grey replicated, RGB to grey by L = (19595 R
/// + 38470 G + 7471 B + 32768) >> 16 (PIL; of floats the same weights, not rounded). Other channel counts:
/// throws Error unless equal.
Image with_channels(const Image& image, std::int64_t channels);

Image flip_horizontal(const Image& image);

/// Throws Error when the rectangle leaves the image.
Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height);

}  // namespace torsor
