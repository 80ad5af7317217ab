// What may happen to a translation between two programs: rounding, noise, compression, blur.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/rng.h"
#include "data/tensor_image.h"

namespace torsor {

/// Between the networks' range and a picture's: 0 = black, 1 = white. Images with a white of their own
/// (percentile_95) reach their largest value, at least the value 1, at 1.
class PictureScale {
 public:
  /// values [N,C,H,W] in the networks' range of a domain.
  PictureScale(const at::Tensor& values, const ValueRange& range);
  /// The same images, or what became of them: float64 [N,C,H,W], clipped to 0 ... 1.
  at::Tensor to_unit(const at::Tensor& values) const;
  /// The way back, float32.
  at::Tensor from_unit(const at::Tensor& unit) const;

 private:
  double black_;
  at::Tensor span_;  // [N,1,1,1]: from black to full
};

/// The step between two grey levels of 8 bits on the scale of a picture.
inline constexpr double kGreyStep = 1.0 / 255;

/// Standard normal noise of the shape of `images`, float64; its seed is drawn from `rng`.
at::Tensor normal_noise(const at::Tensor& images, Rng& rng);

// All take and return pictures, 0 ... 1.

/// To 2^bits levels, 1 <= bits <= 16.
at::Tensor rounded_to(const at::Tensor& unit, std::int64_t bits);

/// Noise of standard deviation `levels` grey levels added; clipped.
at::Tensor with_noise(const at::Tensor& unit, const at::Tensor& noise, double levels);

/// With noise of one grey level, stored at 8 bits: to the eye, and to an 8-bit display, the same picture.
at::Tensor barely_disturbed(const at::Tensor& unit, const at::Tensor& noise);

/// Stored as 8-bit JPEG and read again. [N,C,H,W] with C of 1 or 3.
at::Tensor through_jpeg(const at::Tensor& unit, int quality);

/// Gaussian low-pass whose gain is 1/2 at `cut_off`, a share of the Nyquist frequency in (0, 1]; edges are
/// continued with their last pixels.
at::Tensor low_passed(const at::Tensor& unit, double cut_off);

}  // namespace torsor
