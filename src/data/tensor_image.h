// Pixels <-> network values. The range seam: what a stored sample means is decided here and nowhere else.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "image/image.h"

namespace torsor {

/// How stored samples map to [-1, 1]: value = stored / white * 2 - 1.
struct ValueRange {
  double white = 255;  // the stored sample that becomes 1: 255 for u8, 65535 for u16, 1 for float
};

ValueRange natural_range(PixelType type);

/// [C,H,W] float32 in [-1,1], computed as the reference does: stored/white, then (x-0.5)/0.5.
at::Tensor to_tensor(const Image& image, const ValueRange& range);

enum class Rounding { nearest, truncate };  // truncate: as the reference writes its results

/// [C,H,W] in [-1,1] -> u8; values outside are clamped, NaN throws Error.
Image to_image(const at::Tensor& chw, Rounding rounding = Rounding::nearest);

}  // namespace torsor
