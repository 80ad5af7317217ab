// Instance norm, relu and sums on planes [pixels,16], for each instruction set; one plane, one thread.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/winograd_stages.h"

namespace torsor {

/// What is added to variances.
inline constexpr double kNormEpsilon = 1e-5;

/// What a norm makes of the 16 channels of a plane: (x - mean) * scale, and with parameters that * gain +
/// shift; those are null where it has none, and mean and scale for an x that is normalised already.
struct ChannelNorm {
  const float *mean, *scale;
  const float *gain = nullptr, *shift = nullptr;
};

/// Planes may be the same memory. Sums are taken 64 pixels at a time. `sums` [32], which may be null, gets
/// the gradients of gain and shift.
struct NormStages {
  /// out = (x - mean) * scale of each channel, scale[16] = 1 / sqrt(variance + kNormEpsilon); the variance is
  /// biased.
  void (*normalise)(std::int64_t pixels, const float* x, float* out, float* scale);
  /// The gradient of that: dx from dy, what normalise() gave, and its scale.
  void (*normalise_gradient)(std::int64_t pixels, const float* dy, const float* normalised,
                             const float* scale, float* dx);
  /// out = max(x, 0).
  void (*relu)(std::int64_t pixels, const float* x, float* out);
  /// out = dy where x > 0, else slope * dy.
  void (*relu_gradient)(std::int64_t pixels, const float* dy, const float* x, float slope, float* out);
  /// mean[16] and scale[16] of normalise() alone, in one pass over memory.
  void (*moments)(std::int64_t pixels, const float* x, float* mean, float* scale);
  /// out = y where y > 0, else slope * y, y being what the norm makes of x.
  void (*activate)(std::int64_t pixels, const float* x, const ChannelNorm& norm, float slope, float* out);
  /// The gradient of that with mean and scale being x's own moments().
  void (*activate_gradient)(std::int64_t pixels, const float* dy, const float* x, const ChannelNorm& norm,
                            float slope, float* dx, float* sums);
  /// The gradient of normalise() with parameters and an activation behind it: dx from dy, what normalise()
  /// gave, its scale and the parameters, which are not null; the norm's mean is not looked at.
  void (*affine_gradient)(std::int64_t pixels, const float* dy, const float* normalised,
                          const ChannelNorm& norm, float slope, float* dx, float* sums);
  /// out = x + y.
  void (*add)(std::int64_t pixels, const float* x, const float* y, float* out);
};

/// Of avx2 or avx512. Throws std::logic_error for plain.
const NormStages& norm_stages(Isa isa);

}  // namespace torsor
