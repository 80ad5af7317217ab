// Instance norm, ReLU and addition on planes [pixels,16], for each instruction set; each plane on one thread.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// Added to variances.
inline constexpr double kNormEpsilon = 1e-5;

/// The norm of the 16 channels of a plane: (x - mean) * scale, * gain + shift where it is affine. gain and
/// shift are null where it is not, mean and scale where x is normalised already.
struct ChannelNorm {
  const float *mean, *scale;
  const float *gain = nullptr, *shift = nullptr;
};

/// Input and output planes may alias. Partial sums are over 64 pixels. `sums` [32], which may be null,
/// receives the gradients of gain and shift.
struct NormStages {
  /// out = (x - mean) * scale of each channel, scale[16] = 1 / sqrt(variance + kNormEpsilon); the variance is
  /// biased.
  void (*normalise)(std::int64_t pixels, const float* x, float* out, float* scale);
  /// Its gradient: dx from dy, the output of normalise(), and its scale.
  void (*normalise_gradient)(std::int64_t pixels, const float* dy, const float* normalised,
                             const float* scale, float* dx);
  /// out = max(x, 0).
  void (*relu)(std::int64_t pixels, const float* x, float* out);
  /// out = dy where x > 0, else slope * dy.
  void (*relu_gradient)(std::int64_t pixels, const float* dy, const float* x, float slope, float* out);
  /// mean[16] and scale[16] of normalise() alone, in one pass over memory.
  void (*moments)(std::int64_t pixels, const float* x, float* mean, float* scale);
  /// out = y where y > 0, else slope * y, with y = norm(x).
  void (*activate)(std::int64_t pixels, const float* x, const ChannelNorm& norm, float slope, float* out);
  /// Its gradient, where mean and scale are the moments() of x.
  void (*activate_gradient)(std::int64_t pixels, const float* dy, const float* x, const ChannelNorm& norm,
                            float slope, float* dx, float* sums);
  /// The gradient of normalise() followed by affine parameters and an activation: dx from dy, the output of
  /// normalise(), its scale and the parameters, which are not null; the norm's mean is not used.
  void (*affine_gradient)(std::int64_t pixels, const float* dy, const float* normalised,
                          const ChannelNorm& norm, float slope, float* dx, float* sums);
  /// out = x + y.
  void (*add)(std::int64_t pixels, const float* x, const float* y, float* out);
};

/// Of avx2 or avx512. Throws std::logic_error for plain.
const NormStages& norm_stages(Isa isa);

}  // namespace torsor
