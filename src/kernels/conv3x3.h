// 3x3 convolution of stride 1 that keeps the size, on blocked images.
#pragma once

#include "kernels/buffer.h"
#include "kernels/winograd.h"

namespace torsor {

/// The convolution and its gradients, with the memory that they need; one object for one thread at a time.
class Conv3x3 {
 public:
  /// Throws std::logic_error for Isa::plain, whose twins are the functions below, and for a shape that is not
  /// taken.
  Conv3x3(const Conv3x3Shape& shape, Isa isa) : winograd_(shape, isa) {}

  /// How weights are transformed.
  const Winograd3x3& winograd() const { return winograd_; }

  /// x, y: blocked images of in_channels and out_channels.
  void forward(const float* x, const float* transformed, float* y);
  /// dy -> dx.
  void input_gradient(const float* dy, const float* transformed, float* dx);
  /// x, dy -> dw [out,in,3,3].
  void weight_gradient(const float* x, const float* dy, float* dw);
  /// Both at once: what they share is computed once.
  void gradients(const float* x, const float* dy, const float* transformed, float* dx, float* dw);

 private:
  const float* transformed_input(const float* x);
  const float* transformed_gradient(const float* dy);
  void fold(const float* gradient, const float* transformed, float* dx);

  Winograd3x3 winograd_;
  FloatBuffer input_, gradient_, product_, weights_;
};

/// The twins: y[k] = sum over c of x[c] * w[k][c], and its gradients, summed in double precision. Images are
/// [batch, channels, height, width], any number of channels.
void conv3x3_plain(const Conv3x3Shape& shape, const float* x, const float* weight, float* y);
void conv3x3_input_gradient_plain(const Conv3x3Shape& shape, const float* dy, const float* weight, float* dx);
void conv3x3_weight_gradient_plain(const Conv3x3Shape& shape, const float* x, const float* dy, float* dw);

}  // namespace torsor
