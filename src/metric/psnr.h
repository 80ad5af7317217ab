// Peak signal-to-noise ratio against a known truth.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// 10 log10(peak^2 / mean (x - y)^2) in dB, over all elements of two tensors of one shape; infinite for equal
/// ones. Throws Error for other shapes, no elements, or a peak that is not positive.
double psnr(const at::Tensor& x, const at::Tensor& y, double peak);

/// The same over the elements where `mask`, of the same shape and of bools, is true.
double psnr_inside(const at::Tensor& x, const at::Tensor& y, double peak, const at::Tensor& mask);

}  // namespace torsor
