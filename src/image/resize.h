// Resizing as Pillow does it (the reference trains on Pillow's pixels).
#pragma once

#include "image/image.h"

namespace torsor {

/// Which axis is resized first; the results differ by rounding. Pillow before 13 always takes the horizontal
/// one. Pillow 13 takes the vertical one first where the height shrinks by more than twice as many pixels as
/// the width does.
enum class PassOrder { horizontal_first, pillow_13 };

/// Antialiased bicubic (a = -0.5) on u8, equal to PIL's Image.resize(BICUBIC) bit for bit: per axis
/// scale = in/out, support = 2 max(scale, 1), integer coefficients of 22 bits, horizontal pass first, each
/// pass rounded to 8 bits and skipped when the size does not change. Any channel count; each channel by
/// itself (PIL multiplies by alpha first where there is one). f32 images likewise with exact weights, each
/// pass summed in double precision: equal to PIL's mode F but for its last bit. Throws Error when a side is <
/// 1 or the image is u16.
Image resize_bicubic(const Image& image, std::int64_t width, std::int64_t height,
                     PassOrder order = PassOrder::horizontal_first);

/// The same of any type: 16-bit samples are resized as floats, rounded and clipped.
Image resize_stored(const Image& image, std::int64_t width, std::int64_t height);

/// The same with PIL's BILINEAR: a triangle, antialiased too, with support max(scale, 1).
Image resize_bilinear(const Image& image, std::int64_t width, std::int64_t height,
                      PassOrder order = PassOrder::horizontal_first);

}  // namespace torsor
