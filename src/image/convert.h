// Conversions that the training and translation paths need, exact where the reference is.
#pragma once

#include <string>

#include "image/image.h"

namespace torsor {

/// 16-bit -> 8-bit by value / 257 rounded (full range, never clipped); float -> 8-bit by scaling [0, 1] to
/// [0, 255] when all values lie in [0, 1], else by min/max of the image (one value only: all 0). `note`
/// receives one line that says what was done, and stays empty for u8. Throws Error for floats that are not
/// finite.
Image to_u8(const Image& image, std::string& note);

/// For images whose scale says nothing: 16-bit and float samples are multiplied so that the largest becomes
/// 255, alpha aside (of 2 or 4 channels the last), and rounded; u8 stays as it is. `note` as to_u8(). Throws
/// Error for floats that are negative or not finite.
Image to_u8_by_largest(const Image& image, std::string& note);

/// u8 with 1, 2, 3 or 4 channels -> u8 with `channels` in {1, 3}: alpha dropped, grey replicated, RGB to grey
/// by L = (19595 R + 38470 G + 7471 B + 32768) >> 16 (PIL). Other channel counts: throws Error unless equal.
Image with_channels(const Image& image, std::int64_t channels);

Image flip_horizontal(const Image& image);

/// Throws Error when the rectangle leaves the image.
Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height);

}  // namespace torsor
