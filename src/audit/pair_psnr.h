// How near translations are to the truth of their pairs.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "data/tensor_image.h"

namespace torsor {

/// What the value 1 is in samples of 8 bits: 255 where -1 is black; where an image has a white of its own
/// (percentile_95) that (percentile_range_as()). [N,1,1,1] float32.
at::Tensor eight_bit_whites(const std::vector<ValueRange>& ranges);

/// Values [N,C,H,W] in samples of 8 bits, clamped as they are when written, but not rounded. With the whites
/// of the truth, translations are brought to the truth's own brightness.
at::Tensor eight_bit_samples(const at::Tensor& values, double black, const at::Tensor& whites);

/// PSNR in dB of each image with peak 255, an exact one counts 100: [N] float64. made, truth [N,C,H,W] in
/// samples of 8 bits.
at::Tensor pair_psnr(const at::Tensor& made, const at::Tensor& truth);
/// The same where `inside`, of bools and of that shape, is true.
at::Tensor pair_psnr_inside(const at::Tensor& made, const at::Tensor& truth, const at::Tensor& inside);

}  // namespace torsor
