// Depthwise blurs that halve or double the sides of an image (Zhang, Making Convolutional Networks
// Shift-Invariant Again, 2019), fused with the norm and the activation in front of them, which are recomputed
// in the backward pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/blur_stages.h"
#include "kernels/buffer.h"
#include "kernels/fused_conv.h"

namespace torsor {

/// down: every second pixel of a correlation with 3x3 taps, edges reflected; sides of n become ceil(n / 2).
/// up: sides doubled by a transposed convolution of stride 2 with 4x4 taps, edges repeated; pixel i
/// contributes to 2i - 1 ... 2i + 2.
enum class BlurDirection { down, up };

/// Height and width are those of the input.
struct BlurShape {
  BlurDirection direction = BlurDirection::down;
  std::int64_t batch = 1, channels = 16, height = 0, width = 0;
  Prologue prologue = {};  // its padding mode is not used
  bool operator==(const BlurShape&) const = default;
  std::int64_t side() const { return direction == BlurDirection::down ? 3 : 4; }  // of the taps
  std::int64_t out_side(std::int64_t n) const {
    return direction == BlurDirection::down ? (n + 1) / 2 : 2 * n;
  }
  std::int64_t out_height() const { return out_side(height); }
  std::int64_t out_width() const { return out_side(width); }
};

/// Whether FusedBlur supports the shape: channels in multiples of 16; edges that can be reflected, or several
/// pixels to normalise.
bool is_supported(const BlurShape& shape);

/// Images are blocked (nChw16c). Taps [channels,side,side] are constants. Scratch memory is thread-local and
/// is kept. Results are bitwise the same for any number of OpenMP threads.
class FusedBlur {
 public:
  /// Throws std::logic_error for Isa::plain and for an unsupported shape.
  FusedBlur(const BlurShape& shape, Isa isa, const float* taps);

  /// Of the prologue's norm: see NormActivation.
  std::size_t moment_floats() const { return static_cast<std::size_t>(norm_.moment_floats()); }
  /// x -> y; fills `moments` where the prologue has a norm, whose affine parameters are `parameters`.
  void forward(const float* x, const NormParameters& parameters, float* moments, float* y) const;
  /// dy -> dx; `sums`, which may be null, as of NormActivation::backward().
  void backward(const float* x, const NormParameters& parameters, const float* moments, const float* dy,
                float* dx, float* sums) const;

 private:
  // The terms of all results along both sides.
  struct Grid {
    std::vector<BlurTerms> rows, columns;
  };
  void blur(const Grid& grid, std::int64_t plane, const float* source, std::int64_t source_width,
            float* out) const;

  BlurShape shape_;
  NormActivation norm_;
  Isa isa_;
  FloatBuffer taps_;  // [channels / 16,side,side,16]
  Grid forward_, backward_;
};

/// Plain implementations, without a prologue: planar images, any channels.
void blur_plain(const BlurShape& shape, const float* x, const float* taps, float* y);
void blur_gradient_plain(const BlurShape& shape, const float* dy, const float* taps, float* dx);

}  // namespace torsor
