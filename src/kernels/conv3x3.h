// 3x3 convolution of stride 1 with same padding, on blocked images.
#pragma once

#include "kernels/buffer.h"
#include "kernels/winograd.h"

namespace torsor {

/// The convolution and its gradients, with their scratch memory. Not thread-safe.
class Conv3x3 {
 public:
  /// Throws std::logic_error for Isa::plain, which has the functions below, and for an unsupported shape.
  Conv3x3(const Conv3x3Shape& shape, Isa isa) : winograd_(shape, isa) {}

  /// For the transform of weights.
  const Winograd3x3& winograd() const { return winograd_; }

  /// x, y: blocked images of in_channels and out_channels.
  void forward(const float* x, const float* transformed, float* y);
  /// dy -> dx.
  void input_gradient(const float* dy, const float* transformed, float* dx);
  /// x, dy -> dw [out,in,3,3].
  void weight_gradient(const float* x, const float* dy, float* dw);
  /// Both, with the shared transform computed once.
  void gradients(const float* x, const float* dy, const float* transformed, float* dx, float* dw);

 private:
  const float* transformed_input(const float* x);
  const float* transformed_gradient(const float* dy);
  void fold(const float* gradient, const float* transformed, float* dx);

  Winograd3x3 winograd_;
  FloatBuffer input_, gradient_, product_, weights_;
};

/// Plain implementations: y[k] = sum over c of x[c] * w[k][c], and its gradients, summed in double precision.
/// Images are [batch, channels, height, width], any number of channels.
void conv3x3_plain(const Conv3x3Shape& shape, const float* x, const float* weight, float* y);
void conv3x3_input_gradient_plain(const Conv3x3Shape& shape, const float* dy, const float* weight, float* dx);
void conv3x3_weight_gradient_plain(const Conv3x3Shape& shape, const float* x, const float* dy, float* dw);

}  // namespace torsor
