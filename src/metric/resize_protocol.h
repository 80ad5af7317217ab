// The resizers of the programs that compute FID. They differ by several grey levels where an image becomes
// smaller, so that a FID means something only together with the name of its resizer (Parmar et al. 2022).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "image/image.h"

namespace torsor {

enum class Resizer {
  clean_bicubic,  // clean-fid "clean": Pillow's antialiased bicubic of float channels, clipped, not rounded
  pil_bilinear,   // the same with Pillow's antialiased triangle, not clipped (it cannot leave the range)
  pytorch_bilinear,  // pytorch-fid: two taps, half-pixel centres, no antialiasing
  tf1_bilinear,      // torch-fidelity and TensorFlow 1: two taps, source at i * in / out, no antialiasing
};

/// clean_bicubic, pil_bilinear, pytorch_bilinear, tf1_bilinear.
std::string resizer_name(Resizer resizer);

/// An image of f32 samples -> [C,height,width] of `dtype` (float32 or float64) on the CPU, samples as they
/// were. The bilinear ones of two taps compute in that dtype; Pillow's sum in double precision and round to a
/// float after each pass. Throws Error for another type of sample or a side below 1.
at::Tensor resize_as(Resizer resizer, const Image& image, std::int64_t width, std::int64_t height,
                     at::ScalarType dtype = at::kFloat);

}  // namespace torsor
