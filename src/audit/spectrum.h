// How the power of images is spread over spatial frequencies.
#pragma once

#include <ATen/core/Tensor.h>

namespace torsor {

/// Of N images; frequencies are shares of the Nyquist frequency, along a radius.
struct RadialSpectrum {
  at::Tensor frequencies;  // [K] float64: the middles of K = shorter side / 2 rings, 1/K to 1
  at::Tensor power;        // [N,K] float64: the mean power in each ring
  at::Tensor high_share;   // [N] float64: of the power without the mean, that above 1/2; 0 of flat images
};

/// unit [N,C,H,W], sides of at least 4. Each image loses its mean and is seen through a Hann window, so that
/// its borders are no edges; powers are means over the channels. Frequencies beyond 1 (the corners) count as
/// high.
RadialSpectrum radial_spectrum(const at::Tensor& unit);

}  // namespace torsor
