// Resizing as Pillow does it (the reference trains on Pillow's pixels).
#pragma once

#include "image/image.h"

namespace torsor {

/// Antialiased bicubic (a = -0.5) on u8, equal to PIL's Image.resize(BICUBIC) bit for bit: per axis
/// scale = in/out, support = 2 max(scale, 1), integer coefficients of 22 bits, horizontal pass first, each
/// pass rounded to 8 bits and skipped when the size does not change. Any channel count; each channel by
/// itself (PIL multiplies by alpha first where there is one). Pillow from 12.3 on takes the vertical pass
/// first for some tall images; here the order is that of all versions before. Throws Error when a side is < 1
/// or the image is not u8.
Image resize_bicubic(const Image& image, std::int64_t width, std::int64_t height);

}  // namespace torsor
