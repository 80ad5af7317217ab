// The caller's memory <-> images and tensors of ours.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "image/image.h"
#include "torsor/translator.h"

namespace torsor {

PixelType pixel_type(SampleType type);

/// Throws Error, naming the image by `role`, for: no memory, sides below 1 or an image too large to address,
/// a type that is none.
void check_pixels(const void* data, const PixelLayout& layout, const std::string& role);

/// u8 and u16 samples, copied together.
Image gather_image(const void* data, const PixelLayout& layout);

/// f32 samples as [C,H,W]. Throws Error for one that is not in [-1, 1].
at::Tensor gather_tensor(const void* data, const PixelLayout& layout);

/// Writes an image of the layout's type, or [C,H,W] floats, where the layout has its samples.
void scatter(const Image& image, void* data, const PixelLayout& layout);
void scatter(const at::Tensor& chw, void* data, const PixelLayout& layout);

}  // namespace torsor
