// Instance norm, affine or not, with an activation, of blocked images: where no convolution follows into
// whose prologue they could be fused.
#pragma once

#include <cstdint>

#include "kernels/norm_stages.h"

namespace torsor {

/// The affine parameters of a norm, [channels] each; null where it has none.
struct NormParameters {
  const float *gain = nullptr, *shift = nullptr;
};

/// On blocked images, [batch, channels / 16, pixels, 16], each plane on one thread.
struct NormActivation {
  std::int64_t batch = 1, channels = 16, pixels = 0;
  float slope = 1;  // of the activation below 0: 0 is ReLU, 1 is none

  std::int64_t planes() const { return batch * channels / kBlock; }
  /// Means, then reciprocal standard deviations: [2][batch][channels].
  std::int64_t moment_floats() const { return 2 * batch * channels; }
  void compute_moments(Isa isa, const float* x, float* moments) const;
  void forward(Isa isa, const float* x, const NormParameters& parameters, const float* moments,
               float* y) const;
  /// dy -> dx, in place if wanted. `sums`, which may be null, receives each image's contribution to the
  /// parameters' gradients: [batch, channels / 16, gain and shift, 16].
  void backward(Isa isa, const float* x, const NormParameters& parameters, const float* moments,
                const float* dy, float* dx, float* sums) const;
  /// The norm of plane i.
  ChannelNorm of_plane(std::int64_t i, const NormParameters& parameters, const float* moments) const;
};

}  // namespace torsor
