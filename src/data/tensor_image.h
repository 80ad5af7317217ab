// Pixels <-> network values. The range seam: what a stored sample means is decided here and nowhere else.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image/image.h"

namespace torsor {

/// How stored samples of one type map to what the networks see: `black_level` to `black`, `white` to 1, in a
/// straight line. What lies outside is clipped, but for samples above a white of their own (percentile_95).
struct ValueRange {
  double white = 255;
  double black = -1;       // -1, or 0 where nothing is shifted (percentile_95)
  double black_level = 0;  // the stored sample that is black
  PixelType type = PixelType::u8;
  bool operator==(const ValueRange&) const = default;
};

/// The largest sample of an integer type; 1 for floats.
double full_scale(PixelType type);

/// From 0 to the type's full scale, black -1.
ValueRange whole_range(PixelType type);

/// The ways to scale images, names of --scaling. white: a domain's white is 1, its black -1.
/// percentile_95: every image is divided by its own 95th percentile and not shifted (S0-E2).
std::vector<std::string> scalings();

/// Whether each image has a white of its own (percentile_95).
bool scales_each_image(const std::string& scaling);

/// The range of one image of percentile_95, whose samples were stored as `type`. Throws Error naming it when
/// the percentile is 0, since hardly anything is to be seen, and for negative samples.
ValueRange percentile_range(const Image& image, PixelType type, const std::string& name = "the image");

/// The sample below which 95 % of an image's samples lie, all channels together; between two of them in
/// proportion, as numpy's percentile does. Throws Error for no sample.
double percentile_95(const Image& image);

/// The range of percentile_95 in samples of another type. The full scale of 8 bits stays full scale. Deeper
/// samples seldom fill their type: twice the percentile, at most the type's full scale, becomes full scale.
ValueRange percentile_range_as(const ValueRange& range, PixelType type);

/// [C,H,W] float32. Of 8-bit samples with the whole range it is computed as the reference does: stored/white,
/// then (x-0.5)/0.5.
at::Tensor to_tensor(const Image& image, const ValueRange& range);

enum class Rounding { nearest, truncate };  // truncate: as the reference writes its results

/// [C,H,W] -> samples of the range's type, the way back. Integers are clamped to what their type holds,
/// floats are not clamped. NaN throws Error.
Image to_image(const at::Tensor& chw, const ValueRange& range = {}, Rounding rounding = Rounding::nearest);

/// An image as 8 bits, black 0 and white 255, for what looks at it. u8 with the whole range, or with a white
/// of its own, stays as it is; of deeper images with a white of their own the largest sample becomes 255.
Image to_preview(const Image& image, const ValueRange& range);

}  // namespace torsor
