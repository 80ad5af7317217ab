// Pixels <-> network values. The range seam: what a stored sample means is decided here and nowhere else.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "image/image.h"

namespace torsor {

/// How stored samples map to what the networks see: 0 to `black`, `white` to 1, in a straight line.
struct ValueRange {
  double white = 255;  // 255 for u8, 65535 for u16, 1 for float where the scaling is "white"
  double black = -1;   // -1, or 0 where nothing is shifted
  bool operator==(const ValueRange&) const = default;
};

/// The ways to scale images, names of --scaling. white: the largest sample of the type is 1, black -1.
/// percentile_95: every image is divided by its own 95th percentile and not shifted (S0-E2).
std::vector<std::string> scalings();

/// Whether each image has a white of its own (percentile_95).
bool scales_each_image(const std::string& scaling);

/// A stored image of any pixel type as networks' preprocessing takes it: u8 with `channels`: 1, 3 or
/// its own. Where
/// each image has a white of its own, 16-bit and float samples keep what 8 bits can (to_u8_by_largest()),
/// else as to_u8(). `note` receives what was done to them, and that an alpha that is not opaque throughout is
/// left out. Throws Error naming the image.
Image to_input(const Image& stored, std::int64_t channels, const std::string& scaling, std::string& note,
               const std::string& name = "the image");

/// The range of one u8 image. Throws Error naming it when the scaling is percentile_95 and that is 0, since
/// hardly anything is to be seen, and UsageError for an unknown scaling.
ValueRange range_of(const Image& image, const std::string& scaling, const std::string& name = "the image");

/// The sample below which 95 % of a u8 image's samples lie, all channels together; between two of them in
/// proportion, as numpy's percentile does. Throws Error for another type, or for no sample.
double percentile_95(const Image& image);
/// The same of `counts`: how many samples have each value.
double percentile_95(const std::array<std::int64_t, 256>& counts);

/// [C,H,W] float32. With black -1 it is computed as the reference does: stored/white, then (x-0.5)/0.5.
at::Tensor to_tensor(const Image& image, const ValueRange& range);

enum class Rounding { nearest, truncate };  // truncate: as the reference writes its results

/// [C,H,W] -> u8, the way back; values outside are clamped, NaN throws Error.
Image to_image(const at::Tensor& chw, const ValueRange& range = {}, Rounding rounding = Rounding::nearest);

}  // namespace torsor
